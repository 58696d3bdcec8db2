using System.Globalization;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>One fault of a plan.</summary>
/// <param name="Lane">Faults of one lane come one after the other.</param>
/// <param name="Kind">What goes wrong.</param>
/// <param name="At">When it begins, from the begin of its round.</param>
/// <param name="For">How long it lasts.</param>
/// <param name="Replica">Which replica it strikes, where it strikes one.</param>
/// <param name="Size">How bad it is; <see cref="FaultKind"/> says in which unit.</param>
internal sealed record PlannedFault(int Lane, FaultKind Kind, TimeSpan At, TimeSpan For, int Replica, int Size)
{
    public TimeSpan End => At + For;

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{At.TotalSeconds,5:0.0} s to {End.TotalSeconds,5:0.0} s  {Kind}{(Size == 0 ? "" : $" {Size}")}{(Kind.ToString().StartsWith("Replica", StringComparison.Ordinal) ? $", replica {Replica}" : "")}");
}
