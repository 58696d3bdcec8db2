using System.Collections.Concurrent;
using System.Globalization;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>How often each invariant was looked at, and where it did not hold. Thread-safe.</summary>
internal sealed class Findings
{
    /// <summary>More of the same say nothing new.</summary>
    private const int KeptPerInvariant = 20;

    private readonly ConcurrentDictionary<Invariant, long> _checks = new();
    private readonly ConcurrentDictionary<Invariant, ConcurrentQueue<string>> _violations = new();

    /// <summary>Told of every violation, at once.</summary>
    public event Action<Invariant, string>? Violated;

    public IReadOnlyList<Invariant> Broken => [.. _violations.Keys.Order()];

    public void Check(Invariant invariant, bool holds, Func<string> otherwise)
    {
        _checks.AddOrUpdate(invariant, 1, (_, count) => count + 1);
        if (!holds)
        {
            var complaint = otherwise();
            var kept = _violations.GetOrAdd(invariant, _ => new ConcurrentQueue<string>());
            kept.Enqueue(complaint);
            if (kept.Count <= KeptPerInvariant)
            {
                Violated?.Invoke(invariant, complaint);
            }
        }
    }

    public override string ToString() => string.Join('\n', Enum.GetValues<Invariant>().Select(invariant => string.Create(
        CultureInfo.InvariantCulture,
        $"  {invariant,-30} {_checks.GetValueOrDefault(invariant),8} checks, {(_violations.TryGetValue(invariant, out var found) ? found.Count : 0)} violations")));
}
