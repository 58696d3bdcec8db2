namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>The ids that callers request. The name of an id tells the sandbox its states and the checkers which states are valid.</summary>
internal static class Ids
{
    /// <summary>Final before the first fault, and cached by all replicas and in Redis.</summary>
    public static IReadOnlyList<string> Cached { get; } = [.. Enumerable.Range(0, 20).Select(i => $"done-cached{i}"), .. Enumerable.Range(0, 5).Select(i => $"fail-cached{i}")];

    /// <summary>Ids that become final 3 to 13 s after their first read. Some were already read in the previous 24 s.</summary>
    public static string Running(TimeSpan now, int draw)
    {
        var span = Math.Max(0, (int)(now.TotalSeconds / 8) - (draw % 3));
        var number = draw % 6;
        return $"run-{3 + (number * 2)}-s{span}n{number}";
    }

    /// <summary>Final and not requested before.</summary>
    public static string New(string name, int number) => $"done-{name}{number}";

    public static string Processing(int draw) => $"processing-{draw % 5}";

    public static string Unknown(int draw) => $"unknown{draw % 5}";

    public static bool IsCached(string id) => id.Contains("-cached", StringComparison.Ordinal);

    /// <summary>Whether the upstream has the id.</summary>
    public static bool Exists(string id) => !id.StartsWith("unknown", StringComparison.Ordinal);

    /// <summary>Whether the id can be in this state at the sandbox. A created generation can be in any state except failed.</summary>
    public static bool CanBe(string id, string state) => id.Split('-')[0] switch
    {
        "done" => state is "completed",
        "fail" => state is "failed",
        "processing" => state is "processing",
        _ => state is "queued" or "processing" or "completed",
    };
}
