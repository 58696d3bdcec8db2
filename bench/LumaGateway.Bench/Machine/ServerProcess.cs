using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;

namespace LumaGateway.Bench.Machine;

/// <summary>A server on cores of its own. It and its children are killed, by their ids, when it is disposed of and at the latest when this process ends.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    /// <summary>How long a start or a first answer may take: ten thousand clients' settings are bound in many seconds.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private const int TicksPerSecond = 100; // USER_HZ, the same on every Linux that .NET runs on
    private static readonly ConcurrentDictionary<int, ServerProcess> Running = new();

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();

    static ServerProcess() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (var forgotten in Running.Values)
        {
            forgotten.Kill();
        }
    };

    private ServerProcess(string cores, IReadOnlyList<string> command, IEnumerable<KeyValuePair<string, string>> environment)
    {
        // taskset becomes the command: the id is the server's own.
        var start = new ProcessStartInfo("taskset", ["-c", cores, .. command]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start)!;
        Running[_process.Id] = this;
        _process.OutputDataReceived += (_, line) => Add(line.Data);
        _process.ErrorDataReceived += (_, line) => Add(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Output => string.Join('\n', _output);

    /// <summary>Processor time of it and its children since their start.</summary>
    public TimeSpan ProcessorTime => TimeSpan.FromSeconds(Tree(_process.Id).Sum(TicksOf) / (double)TicksPerSecond);

    /// <summary>Memory that it has resident (VmRSS), in bytes.</summary>
    public long ResidentBytes => 1024 * long.Parse(
        File.ReadLines($"/proc/{_process.Id}/status").Single(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);

    /// <summary>Starts it and waits until it listens.</summary>
    public static async Task<ServerProcess> StartAsync(
        string cores, int port, IReadOnlyList<string> command, IEnumerable<KeyValuePair<string, string>>? environment = null)
    {
        var server = new ServerProcess(cores, command, environment ?? []);
        var began = Stopwatch.GetTimestamp();
        while (!await IsListeningAsync(port))
        {
            if (server._process.HasExited || Stopwatch.GetElapsedTime(began) > Patience)
            {
                await server.DisposeAsync();
                throw new BenchException($"{string.Join(' ', command)} does not listen.\n{server.Output}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, CancellationToken.None);
        }

        return server;
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static async Task<bool> IsListeningAsync(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static IEnumerable<int> Tree(int id) => File.ReadAllText($"/proc/{id}/task/{id}/children")
        .Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .SelectMany(child => Tree(int.Parse(child, CultureInfo.InvariantCulture)))
        .Prepend(id);

    /// <summary>utime and stime, the 14th and 15th field of proc_pid_stat(5); the second, in brackets, may hold spaces.</summary>
    private static long TicksOf(int id)
    {
        var stat = File.ReadAllText($"/proc/{id}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
    }

    private void Add(string? line)
    {
        if (line is not null)
        {
            _output.Enqueue(line);
        }
    }

    private void Kill()
    {
        if (Running.TryRemove(_process.Id, out _))
        {
            _process.Kill(entireProcessTree: true);
        }
    }
}
