using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// A process that a test started. It is killed, by its id, when it is disposed of and at the latest when the test run ends. Its output is
/// kept. Thread-safe.
/// </summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private const int SigTerm = 15;

    private static readonly ConcurrentDictionary<int, ChildProcess> Running = new();
    private static readonly int SigStop = OperatingSystem.IsMacOS() ? 17 : 19;
    private static readonly int SigCont = OperatingSystem.IsMacOS() ? 19 : 18;

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly ConcurrentQueue<string> _errors = new();

    static ChildProcess() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (var forgotten in Running.Values)
        {
            forgotten.Kill();
        }
    };

    private ChildProcess(Process process)
    {
        _process = process;
        Running[process.Id] = this;
        process.OutputDataReceived += (_, line) => Add(_output, line.Data);
        process.ErrorDataReceived += (_, line) => Add(_errors, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>The CLI that runs these tests; it need not be on the path.</summary>
    public static string Dotnet => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    public IReadOnlyCollection<string> Output => _output;

    public IReadOnlyCollection<string> Errors => _errors;

    public string Everything => string.Join('\n', _output.Concat(_errors));

    public static ChildProcess Start(
        string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? directory = null)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            WorkingDirectory = directory ?? AppContext.BaseDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return new ChildProcess(Process.Start(start)!);
    }

    /// <summary>The first line of its output that <paramref name="read"/> makes something of. Fails with the whole output where it ends before that.</summary>
    public async Task<T> ReadAsync<T>(Func<string, T?> read)
        where T : class
    {
        T? found = null;
        await Wait.UntilAsync(
            () =>
            {
                found = _output.Select(read).FirstOrDefault(value => value is not null);
                Assert.False(found is null && HasExited, $"The process ended while it was waited for.\n{Everything}");
                return found is not null;
            },
            TimeSpan.FromSeconds(60),
            () => $"The process did not say what was waited for.\n{Everything}");
        return found!;
    }

    public void Kill()
    {
        try
        {
            Running.TryRemove(_process.Id, out _);
            _process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It had ended already.
        }
    }

    public void Terminate() => Signal(SigTerm);

    public void Pause() => Signal(SigStop);

    public void Resume() => Signal(SigCont);

    /// <summary>Waits for its end and the last of its output.</summary>
    public async Task<int> WaitForExitAsync(TimeSpan patience)
    {
        using var over = new CancellationTokenSource(patience, TimeProvider.System);
        await _process.WaitForExitAsync(over.Token);
        Running.TryRemove(_process.Id, out _);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static void Add(ConcurrentQueue<string> lines, string? line)
    {
        if (line is not null)
        {
            lines.Enqueue(line);
        }
    }

    private void Signal(int signal) => Assert.Equal(0, NativeKill(_process.Id, signal));

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeKill(int pid, int signal);
}
