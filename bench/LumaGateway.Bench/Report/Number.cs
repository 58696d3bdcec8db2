namespace LumaGateway.Bench.Report;

/// <summary>Numbers as the reports write them.</summary>
internal static class Number
{
    public static string In(string format, double value) => value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>In thousands' groups, to the hundreds: more digits would claim more than was measured.</summary>
    public static string Rounded(double value) => In("#,0", Math.Round(value / 100) * 100);

    public static string Mebibytes(long bytes) => In("0.0", bytes / 1024.0 / 1024.0);
}
