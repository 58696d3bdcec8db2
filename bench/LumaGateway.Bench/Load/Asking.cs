namespace LumaGateway.Bench.Load;

/// <summary>In which order the numbers of an <see cref="Asking"/> come; <c>bench/wrk.lua</c> knows them by the same words.</summary>
internal enum Order
{
    /// <summary>No numbers: always the same request.</summary>
    One,

    /// <summary>Any, again and again.</summary>
    Random,

    /// <summary>One after the other, again and again.</summary>
    Cycle,

    /// <summary>One after the other; the run ends with the last.</summary>
    Fill,
}

/// <summary>What is asked for.</summary>
/// <param name="Path">Where <c>@id</c> stands for a number.</param>
/// <param name="Order">Which number comes next.</param>
/// <param name="First">The least number.</param>
/// <param name="Last">The greatest.</param>
/// <param name="Clients">Of how many clients' keys any is sent with each request; 0: always the first, at no cost. Not together with numbers.</param>
internal sealed record Asking(string Path, Order Order = Order.One, long First = 1, long Last = 1, int Clients = 0)
{
    private const long Range = 100_000_000; // more than any run gets through

    private static long _ranges;

    /// <summary>Ids that nobody has asked for yet.</summary>
    public static Asking ForUnknown(string path)
    {
        var first = ++_ranges * Range;
        return new Asking(path, Order.Cycle, first, first + Range - 1);
    }

    /// <summary>The one answer that every cache holds.</summary>
    public static Asking ForSample() => new($"/generations/{Machine.Lab.SampleId}");
}
