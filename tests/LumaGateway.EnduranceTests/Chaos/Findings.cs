using System.Collections.Concurrent;
using System.Globalization;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>The number of checks and the violations of each invariant. Thread-safe.</summary>
internal sealed class Findings
{
    /// <summary>Further violations are counted and not reported.</summary>
    private const int MaxReports = 20;

    private readonly ConcurrentDictionary<Invariant, long> _checks = new();
    private readonly ConcurrentDictionary<Invariant, ConcurrentQueue<string>> _violations = new();

    /// <summary>Raised at each violation.</summary>
    public event Action<Invariant, string>? ViolationFound;

    public IReadOnlyList<Invariant> ViolatedInvariants => [.. _violations.Keys.Order()];

    public void Check(Invariant invariant, bool holds, Func<string> failureMessage)
    {
        _checks.AddOrUpdate(invariant, 1, (_, count) => count + 1);
        if (!holds)
        {
            var message = failureMessage();
            var messages = _violations.GetOrAdd(invariant, _ => new ConcurrentQueue<string>());
            messages.Enqueue(message);
            if (messages.Count <= MaxReports)
            {
                ViolationFound?.Invoke(invariant, message);
            }
        }
    }

    public override string ToString() => string.Join('\n', Enum.GetValues<Invariant>().Select(invariant => string.Create(
        CultureInfo.InvariantCulture,
        $"  {invariant,-30} {_checks.GetValueOrDefault(invariant),8} checks, {(_violations.TryGetValue(invariant, out var found) ? found.Count : 0)} violations")));
}
