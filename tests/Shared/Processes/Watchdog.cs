using System.Diagnostics;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// A shell that kills this process's children once this process has gone, by SIGKILL too: it is told their ids over a pipe, and the pipe's end is the
/// signal. Thread-safe. On Windows it does nothing.
/// </summary>
internal static class Watchdog
{
    /// <summary>A child that leads a process group takes its own children with it.</summary>
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

    /// <summary>The program that makes the one it starts the leader of a process group; null where there is none.</summary>
    public static string? GroupLeader { get; } = OperatingSystem.IsLinux() ? Tool.Find("setsid") : null;

    /// <summary>To be called before the first child is started, so that none is without a watchdog for long.</summary>
    public static void Begin()
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
                Tell($"started {id}");
            }
        }
    }

    public static void Ended(int id)
    {
        lock (Gate)
        {
            if (Running.Remove(id))
            {
                Tell($"ended {id}");
            }
        }
    }

    private static void Tell(string line)
    {
        _shell?.StandardInput.Write(line + "\n");
        _shell?.StandardInput.Flush();
    }

    /// <summary>In a group of its own: what is sent to this process's group, a key press for one, does not reach it.</summary>
    private static Process Start() => Process.Start(new ProcessStartInfo(GroupLeader ?? "sh", GroupLeader is null ? ["-c", Script] : ["sh", "-c", Script])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;
}
