using System.Globalization;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>One fault of a plan.</summary>
/// <param name="Lane">The lane. Faults of one lane do not overlap.</param>
/// <param name="Kind">The kind of the fault.</param>
/// <param name="Start">The start, relative to the start of the round.</param>
/// <param name="Duration">The duration.</param>
/// <param name="Replica">The affected replica, for faults of one replica.</param>
/// <param name="Size">The severity. <see cref="FaultKind"/> defines the unit.</param>
internal sealed record PlannedFault(int Lane, FaultKind Kind, TimeSpan Start, TimeSpan Duration, int Replica, int Size)
{
    public TimeSpan End => Start + Duration;

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Start.TotalSeconds,5:0.0} s to {End.TotalSeconds,5:0.0} s  {Kind}{(Size == 0 ? "" : $" {Size}")}{(Kind.ToString().StartsWith("Replica", StringComparison.Ordinal) ? $", replica {Replica}" : "")}");
}
