namespace LumaGateway.Sandbox.Faults;

/// <summary>The faults set through the control API. The oldest rule that matches applies. Thread-safe.</summary>
internal sealed class FaultRules
{
    private readonly Lock _lock = new();
    private readonly List<FaultRule> _rules = [];

    public void Add(FaultRule rule)
    {
        lock (_lock)
        {
            _rules.Add(rule);
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            _rules.Clear();
        }
    }

    public IReadOnlyList<FaultRule> List()
    {
        lock (_lock)
        {
            return [.. _rules];
        }
    }

    /// <summary>Returns the rule that applies to this request and decrements its count; null if none does.</summary>
    public FaultRule? Take(HttpRequest request)
    {
        lock (_lock)
        {
            if (_rules.Count is 0)
            {
                return null;
            }

            var text = $"{request.Method} {request.Path}{request.QueryString}";
            var index = _rules.FindIndex(rule => rule.Matches(text) && Random.Shared.NextDouble() < (rule.Probability ?? 1));
            return index < 0 ? null : CountDown(index);
        }
    }

    private FaultRule CountDown(int index)
    {
        var rule = _rules[index];
        if (rule.Count is { } left)
        {
            _rules[index] = rule with { Count = left - 1 };
        }

        return rule;
    }
}
