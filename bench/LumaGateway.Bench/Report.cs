namespace LumaGateway.Bench;

/// <summary>Median, minimum and maximum of several measurements.</summary>
internal readonly record struct Spread(double Median, double Least, double Most)
{
    public static Spread Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return new Spread((sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2, sorted[0], sorted[^1]);
    }

    public string ToString(string format) => $"{Report.In(format, Median)} ({Report.In(format, Least)}–{Report.In(format, Most)})";
}

/// <summary>Tables go to standard output, progress to standard error.</summary>
internal static class Report
{
    public static void Progress(FormattableString line) => Console.Error.WriteLine(FormattableString.Invariant(line));

    public static string In(string format, double value) => value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>Rounds to three significant digits.</summary>
    public static string Rounded(double value)
    {
        var unit = Math.Pow(10, Math.Max(0, Math.Floor(Math.Log10(Math.Max(value, 1))) - 2));
        return In("#,0", Math.Round(value / unit) * unit);
    }

    public static string Table(IReadOnlyList<string> header, IEnumerable<IReadOnlyList<string>> rows) => string.Concat(
        rows.Prepend([.. header.Select((_, column) => column == 0 ? "---" : "---:")]).Prepend(header).Select(row => $"| {string.Join(" | ", row)} |\n"));
}
