namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>The generations that callers ask about. Their names tell the sandbox what becomes of them, and the checkers what is true of them.</summary>
internal static class Ids
{
    /// <summary>Finished before the faults begin, and known to all replicas and Redis.</summary>
    public static IReadOnlyList<string> Treasures { get; } = [.. Enumerable.Range(0, 20).Select(i => $"done-treasure{i}"), .. Enumerable.Range(0, 5).Select(i => $"fail-treasure{i}")];

    /// <summary>Some are unfinished when first seen, and finish within the next 3 to 12 s; others of the same span did so just before.</summary>
    public static string Running(TimeSpan now, int draw)
    {
        var span = Math.Max(0, (int)(now.TotalSeconds / 8) - (draw % 3));
        var number = draw % 6;
        return $"run-{3 + (number * 2)}-s{span}n{number}";
    }

    /// <summary>Finished, and never asked about before.</summary>
    public static string New(string name, int number) => $"done-{name}{number}";

    public static string Endless(int draw) => $"processing-{draw % 5}";

    public static string Unknown(int draw) => $"nobody{draw % 5}";

    public static bool IsTreasure(string id) => id.Contains("-treasure", StringComparison.Ordinal);

    /// <summary>Whether the upstream has it.</summary>
    public static bool Exists(string id) => !id.StartsWith("nobody", StringComparison.Ordinal);

    /// <summary>Which states the sandbox lets it have; what was created may have any but failed.</summary>
    public static bool MayBe(string id, string state) => id.Split('-')[0] switch
    {
        "done" => state is "completed",
        "fail" => state is "failed",
        "processing" => state is "processing",
        _ => state is "queued" or "processing" or "completed",
    };
}
