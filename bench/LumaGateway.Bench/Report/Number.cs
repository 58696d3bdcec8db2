namespace LumaGateway.Bench.Report;

/// <summary>Numbers as the reports write them.</summary>
internal static class Number
{
    public static string In(string format, double value) => value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>In thousands' groups, to the hundreds if nothing else is said: more digits would claim more than was measured.</summary>
    public static string Rounded(double value, int to = 100) => In("#,0", Math.Round(value / to) * to);

    public static string Mebibytes(long bytes) => In("0.0", bytes / 1024.0 / 1024.0);
}
