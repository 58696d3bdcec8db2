using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;

namespace LumaGateway.Bench;

/// <summary>A server process on the loopback address. It and its children are killed on disposal and at the latest when this process ends.</summary>
internal sealed class Server : IAsyncDisposable
{
    /// <summary>Binding the settings of ten thousand clients takes many seconds.</summary>
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(3);
    private static readonly ConcurrentDictionary<int, Process> Running = new();

    private readonly Process _process;
    private readonly ConcurrentQueue<string?> _output = new();

    static Server() => AppDomain.CurrentDomain.ProcessExit += (_, _) => Running.Values.ToList().ForEach(process => process.Kill(entireProcessTree: true));

    private Server(int port, string cores, IEnumerable<string> command)
    {
        // taskset and env replace themselves by the command, so the process id is the server's.
        _process = Process.Start(new ProcessStartInfo("taskset", ["-c", cores, .. command]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Running[_process.Id] = _process;
        _process.OutputDataReceived += (_, line) => _output.Enqueue(line.Data);
        _process.ErrorDataReceived += (_, line) => _output.Enqueue(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Address = new Uri($"http://127.0.0.1:{port}");
        Http = new HttpClient(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 10_000 }) { BaseAddress = Address, Timeout = StartTimeout };
        Http.DefaultRequestHeaders.Add("X-Api-Key", "key-0");
    }

    public Uri Address { get; }

    /// <summary>Sends the key of client 0.</summary>
    public HttpClient Http { get; }

    /// <summary>Standard output and standard error.</summary>
    public string Output => string.Join('\n', _output);

    /// <summary>User and system time in µs, with that of running child processes (nginx's worker). The kernel counts in steps of 10 ms.</summary>
    public double ProcessorMicros => Children.Append(_process.Id).Sum(id =>
    {
        var fields = File.ReadAllText($"/proc/{id}/stat").Split(") ")[^1].Split(' '); // from the state on, the third field
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) * 10_000.0;
    });

    /// <summary>Resident memory in MiB, without child processes.</summary>
    public double MemoryMiB
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64 / 1024.0 / 1024;
        }
    }

    private IEnumerable<int> Children =>
        File.ReadAllText($"/proc/{_process.Id}/task/{_process.Id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(id => int.Parse(id, CultureInfo.InvariantCulture));

    /// <summary>Starts the process and waits until the port accepts connections.</summary>
    public static async Task<Server> StartAsync(int port, string cores, IReadOnlyList<string> command)
    {
        var server = new Server(port, cores, command);
        for (var started = Stopwatch.GetTimestamp(); ;)
        {
            try
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync("127.0.0.1", port);
                return server;
            }
            catch (SocketException) when (!server._process.HasExited && Stopwatch.GetElapsedTime(started) < StartTimeout)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, CancellationToken.None);
            }
            catch (SocketException)
            {
                await server.DisposeAsync();
                throw new BenchException($"'{string.Join(' ', command)}' does not listen on port {port}.\n{server.Output}");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Running.TryRemove(_process.Id, out _))
        {
            Http.Dispose();
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
    }
}
