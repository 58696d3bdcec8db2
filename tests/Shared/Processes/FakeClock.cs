using System.Globalization;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// Changes the wall clock of a running process, with libfaketime (Debian: <c>faketime</c>). The monotonic clock is not changed, as when an operator sets the
/// clock of a machine.
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
            ["FAKETIME_CACHE_DURATION"] = "1", // seconds; without a cache every reading of the clock reads the file
            ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
            ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0", // otherwise every wait of the runtime ends immediately
        };
    }

    public static bool IsInstalled => LibraryPath is not null;

    /// <summary>The environment variables for the process.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }

    private static string? LibraryPath => Directory.Exists("/usr/lib")
        ? Directory.EnumerateDirectories("/usr/lib", "*-linux-gnu").Select(folder => Path.Combine(folder, Library)).FirstOrDefault(File.Exists)
        : null;

    /// <summary>Returns null if libfaketime is not installed.</summary>
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

    /// <summary>Sets the difference to the real time. It takes effect within a second.</summary>
    public void Move(int seconds)
    {
        File.WriteAllText($"{_file}.new", seconds.ToString("+0;-0;+0", CultureInfo.InvariantCulture) + "\n");
        File.Move($"{_file}.new", _file, overwrite: true);
    }
}
