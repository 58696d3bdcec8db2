using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// A child process of a test. Disposal kills it and its own children; the <see cref="Watchdog"/> does so when the test process ends. Its output is recorded.
/// Thread-safe.
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
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
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

    /// <summary>The dotnet CLI that runs the tests; it may not be in PATH.</summary>
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
        Watchdog.EnsureStarted();

        // setsid executes the program in its own process, so the process id stays the same.
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
    /// Waits for the first line of stdout or stderr for which <paramref name="read"/> returns a result. Fails with the whole output if the process ends before;
    /// throws <see cref="PortTakenException"/> if its port is taken.
    /// </summary>
    public async Task<T> ReadAsync<T>(Func<string, T?> read)
        where T : class
    {
        using var timeout = new CancellationTokenSource(Wait.Timeout, TimeProvider.System);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, TestContext.Current.CancellationToken);
        for (var seen = 0; ;)
        {
            // Read both before the lines, so that a line that arrives meanwhile starts another iteration.
            var (changed, isOver) = (Volatile.Read(ref _changed).Task, Volatile.Read(ref _openStreams) == 0);
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
                throw EndException();
            }

            await changed.WaitAsync(over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Assert.False(over.IsCancellationRequested, $"The process did not write the expected line.\n{Everything}");
        }
    }

    /// <summary>Fails like <see cref="ReadAsync"/> if the process has ended or its port is taken.</summary>
    public void AssertRuns()
    {
        if (HasExited || PortTakenException.IsIn(Everything))
        {
            throw EndException();
        }
    }

    /// <summary>Kills the process and its children, and waits for its end, so that its port is free.</summary>
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
                // The process has ended.
            }
        }

        _process.WaitForExit(Wait.Timeout);
        Watchdog.Ended(Id);
    }

    /// <summary>Kills the process without its children, like the kernel when memory runs out.</summary>
    public void KillAlone() => Signal(SigKill);

    public void Terminate() => Signal(SigTerm);

    public void Pause() => Signal(SigStop);

    public void Resume() => Signal(SigCont);

    /// <summary>Waits for the end of the process and its output. Fails with the output after a timeout.</summary>
    public async Task<int> WaitForExitAsync(TimeSpan? timeout = null)
    {
        using var over = new CancellationTokenSource(timeout ?? Wait.Timeout, TimeProvider.System);
        try
        {
            await _process.WaitForExitAsync(over.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"The process did not end.\n{Everything}");
        }

        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private Exception EndException() => PortTakenException.IsIn(Everything)
        ? new PortTakenException(Everything)
        : new Xunit.Sdk.XunitException($"The process ended unexpectedly.\n{Everything}");

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

        Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    private void Signal(int signal) => Assert.Equal(0, NativeKill(Id, signal));

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NativeKill(int pid, int signal);
}
