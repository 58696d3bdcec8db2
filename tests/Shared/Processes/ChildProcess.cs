using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// A process that a test started. It is killed, with its own children, when it is disposed of, and by the <see cref="Watchdog"/> when the test process
/// ends. Its output is read as it comes, and kept. Thread-safe.
/// </summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private const int SigKill = 9;
    private const int SigTerm = 15;

    private static readonly int SigStop = OperatingSystem.IsMacOS() ? 17 : 19;
    private static readonly int SigCont = OperatingSystem.IsMacOS() ? 19 : 18;

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly ConcurrentQueue<string> _all = new();
    private TaskCompletionSource _news = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _openStreams = 2;
    private int _isKilled;

    private ChildProcess(Process process)
    {
        (_process, Id) = (process, process.Id);
        Watchdog.Started(Id);
        process.OutputDataReceived += (_, line) => Add(_output, line.Data);
        process.ErrorDataReceived += (_, line) => Add(_errors, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>The CLI that runs these tests; it need not be on the path.</summary>
    public static string Dotnet => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

    public int Id { get; }

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    public IReadOnlyCollection<string> Output => _output;

    public IReadOnlyCollection<string> Errors => _errors;

    public string Everything => string.Join('\n', _output.Concat(_errors));

    public static ChildProcess Start(
        string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? directory = null)
    {
        Watchdog.Begin();

        // setsid replaces itself by the program: the process keeps its id.
        var start = new ProcessStartInfo(Watchdog.GroupLeader ?? file, Watchdog.GroupLeader is null ? arguments : [file, .. arguments])
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

    /// <summary>
    /// The first line of its output, standard error included, that <paramref name="read"/> makes something of. Fails with the whole output as soon as the
    /// process has ended without it; with <see cref="PortTakenException"/> if the cause was its port.
    /// </summary>
    public async Task<T> ReadAsync<T>(Func<string, T?> read)
        where T : class
    {
        using var patience = new CancellationTokenSource(Wait.Patience, TimeProvider.System);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, TestContext.Current.CancellationToken);
        for (var seen = 0; ;)
        {
            // Both are taken before the look: what comes during it is seen by the next one.
            var (news, isOver) = (Volatile.Read(ref _news).Task, Volatile.Read(ref _openStreams) == 0);
            foreach (var line in _all.Skip(seen))
            {
                seen++;
                if (read(line) is { } found)
                {
                    return found;
                }
            }

            if (isOver)
            {
                throw Ended();
            }

            await news.WaitAsync(over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Assert.False(over.IsCancellationRequested, $"The process did not write the awaited line.\n{Everything}");
        }
    }

    /// <summary>Fails, as <see cref="ReadAsync"/> does, if the process has ended or its port is taken.</summary>
    public void AssertRuns()
    {
        if (HasExited || PortTakenException.IsToldBy(Everything))
        {
            throw Ended();
        }
    }

    /// <summary>Kills it and its children, and waits for its end: its port is free then.</summary>
    public void Kill()
    {
        if (Interlocked.Exchange(ref _isKilled, 1) == 1)
        {
            return;
        }

        if (Watchdog.GroupLeader is null || NativeKill(-Id, SigKill) != 0)
        {
            try
            {
                _process.Kill(entireProcessTree: true);
            }
            catch (InvalidOperationException)
            {
                // It had ended already.
            }
        }

        _process.WaitForExit(Wait.Patience);
        Watchdog.Ended(Id);
    }

    /// <summary>Kills it and leaves its children alone, as the kernel does when memory runs out.</summary>
    public void KillAlone() => Signal(SigKill);

    public void Terminate() => Signal(SigTerm);

    public void Pause() => Signal(SigStop);

    public void Resume() => Signal(SigCont);

    /// <summary>Waits for its end and the last of its output; fails with its output if it goes on.</summary>
    public async Task<int> WaitForExitAsync(TimeSpan? patience = null)
    {
        using var over = new CancellationTokenSource(patience ?? Wait.Patience, TimeProvider.System);
        try
        {
            await _process.WaitForExitAsync(over.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"The process does not end.\n{Everything}");
        }

        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private Exception Ended() => PortTakenException.IsToldBy(Everything)
        ? new PortTakenException(Everything)
        : new Xunit.Sdk.XunitException($"The process ended while it was waited for.\n{Everything}");

    private void Add(ConcurrentQueue<string> lines, string? line)
    {
        if (line is null)
        {
            Interlocked.Decrement(ref _openStreams);
        }
        else
        {
            lines.Enqueue(line);
            _all.Enqueue(line);
        }

        Interlocked.Exchange(ref _news, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    private void Signal(int signal) => Assert.Equal(0, NativeKill(Id, signal));

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeKill(int pid, int signal);
}
