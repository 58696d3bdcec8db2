using System.Globalization;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// The wall clock of a process that can be moved while it runs, by libfaketime (Debian: <c>faketime</c>). Monotonic time is left alone, as it is
/// where a machine's clock is set.
/// </summary>
internal sealed class FakeClock
{
    private const string Library = "faketime/libfaketimeMT.so.1";

    private readonly string _file;

    private FakeClock(string library, string folder)
    {
        _file = Path.Combine(folder, "clock");
        Environment = new Dictionary<string, string>
        {
            ["LD_PRELOAD"] = library,
            ["FAKETIME_TIMESTAMP_FILE"] = _file,
            ["FAKETIME_CACHE_DURATION"] = "1", // else the file is read whenever the time is asked for
            ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
            ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0", // else every wait of the runtime ends at once, and it spins
        };
    }

    public static bool IsInstalled => LibraryPath is not null;

    /// <summary>What the process is to be started with.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }

    private static string? LibraryPath => Directory.Exists("/usr/lib")
        ? Directory.EnumerateDirectories("/usr/lib", "*-linux-gnu").Select(folder => Path.Combine(folder, Library)).FirstOrDefault(File.Exists)
        : null;

    /// <summary>Null where libfaketime is not installed.</summary>
    public static FakeClock? TryCreate(string folder)
    {
        if (LibraryPath is not { } library)
        {
            return null;
        }

        var clock = new FakeClock(library, folder);
        clock.Move(0);
        return clock;
    }

    /// <summary>So far from the true time, within a second from now.</summary>
    public void Move(int seconds)
    {
        File.WriteAllText($"{_file}.new", seconds.ToString("+0;-0;+0", CultureInfo.InvariantCulture) + "\n");
        File.Move($"{_file}.new", _file, overwrite: true);
    }
}
