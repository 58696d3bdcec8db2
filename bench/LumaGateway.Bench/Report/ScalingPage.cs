namespace LumaGateway.Bench.Report;

/// <summary>The measured part of <c>docs/scaling.md</c>, between two marks; the rest of the page is written by people.</summary>
internal static class ScalingPage
{
    private const string Begin = "<!-- from here: written by bench/run scaling -->";
    private const string End = "<!-- to here -->";

    private static string File => Path.Combine(Plan.Root, "docs", "scaling.md");

    public static void Fill(IEnumerable<Curve> curves, string arithmetic)
    {
        var page = System.IO.File.ReadAllText(File);
        var (begin, end) = (page.IndexOf(Begin, StringComparison.Ordinal), page.IndexOf(End, StringComparison.Ordinal));
        if (begin < 0 || end < begin)
        {
            throw new BenchException($"{File} has lost the marks between which its figures stand.");
        }

        var measured = string.Join('\n', curves.Select(curve => $"![{curve.Title}](scaling/{curve.Name}.svg)\n\n{curve.Table()}"));
        System.IO.File.WriteAllText(File, $"{page[..begin]}{Begin}\n\n{measured}\n{arithmetic}\n\n{page[end..]}");
    }
}
