namespace LumaGateway.Bench.Report;

/// <summary>Pieces of a page.</summary>
internal static class Markdown
{
    public static string Table(IReadOnlyList<string> header, IEnumerable<IReadOnlyList<string>> rows) => string.Concat(
        rows.Prepend([.. header.Select((_, column) => column == 0 ? "---" : "---:")]).Prepend(header).Select(row => $"| {string.Join(" | ", row)} |\n"));
}
