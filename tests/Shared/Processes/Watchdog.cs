using System.Diagnostics;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// A shell that kills the child processes of this process after its end, even after SIGKILL. It gets their ids through a pipe, and starts to kill when the pipe
/// closes. Thread-safe. On Windows it does nothing.
/// </summary>
internal static class Watchdog
{
    /// <summary>Kills the process group of each child, which includes its own children.</summary>
    private const string Script = """
        trap '' HUP INT TERM
        running=' '
        while read -r event id; do
          case $event in
            started) running="$running$id " ;;
            ended) running="${running%% $id *} ${running#* $id }" ;;
          esac
        done
        for id in $running; do kill -9 "-$id" || kill -9 "$id"; done
        """;

    private static readonly Lock Gate = new();
    private static readonly HashSet<int> Running = [];
    private static Process? _shell;

    /// <summary>A program that starts another one as the leader of a process group; null if not available.</summary>
    public static string? GroupLeader { get; } = OperatingSystem.IsLinux() ? Tool.Find("setsid") : null;

    /// <summary>Starts the shell. Call it before a child is started.</summary>
    public static void EnsureStarted()
    {
        lock (Gate)
        {
            if (!OperatingSystem.IsWindows())
            {
                _shell ??= Start();
            }
        }
    }

    public static void Started(int id)
    {
        lock (Gate)
        {
            if (Running.Add(id))
            {
                Send($"started {id}");
            }
        }
    }

    public static void Ended(int id)
    {
        lock (Gate)
        {
            if (Running.Remove(id))
            {
                Send($"ended {id}");
            }
        }
    }

    private static void Send(string line)
    {
        _shell?.StandardInput.Write(line + "\n");
        _shell?.StandardInput.Flush();
    }

    /// <summary>Starts the shell in its own process group, so that a signal to the group of this process (Ctrl+C) does not reach it.</summary>
    private static Process Start() => Process.Start(new ProcessStartInfo(GroupLeader ?? "sh", GroupLeader is null ? ["-c", Script] : ["sh", "-c", Script])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;
}
