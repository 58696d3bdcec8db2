namespace LumaGateway.Bench.Report;

/// <summary>Several measurements of the same thing.</summary>
internal readonly record struct Spread(double Median, double Least, double Most)
{
    public static Spread Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return new Spread(sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2, sorted[0], sorted[^1]);
    }

    /// <summary>The median (least–most), each in that format.</summary>
    public string ToString(string format) => $"{Number.In(format, Median)} ({Number.In(format, Least)}–{Number.In(format, Most)})";
}
