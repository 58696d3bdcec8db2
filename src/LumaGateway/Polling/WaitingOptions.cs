using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Polling;

/// <summary>Limits of waiting callers, and the schedule of polls. Bound to <c>Waiting</c>.</summary>
internal sealed class WaitingOptions
{
    public const string Section = "Waiting";

    /// <summary>The most callers that may wait on one replica, streams included. The next one gets 503 <c>gateway_saturated</c>.</summary>
    [Number("Waiting:Max", 1, 1_000_000)]
    public int Max { get; set; } = 20_000;

    /// <summary>The share of <see cref="Max"/> that one client may use; at least one waiter. Its next one gets 429 <c>rate_limited</c>.</summary>
    [Number("Waiting:ClientShare", 0.01, 1.0)]
    public double ClientShare { get; set; } = 0.5;

    public int MaxPerClient => Math.Max(1, (int)(Max * ClientShare));

    /// <summary>The upper limit of <c>Prefer: wait</c>.</summary>
    [Duration("Waiting:Longest", "00:00:01", "00:10:00")]
    public TimeSpan Longest { get; set; } = TimeSpan.FromSeconds(50);

    /// <summary>The time without an event after which a stream gets a comment.</summary>
    [Duration("Waiting:Heartbeat", "00:00:01", "00:05:00")]
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>The initial interval between polls, ± 10 %.</summary>
    [Duration("Waiting:PollEvery", "00:00:00.2", "00:01:00")]
    public TimeSpan PollEvery { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a generation is polled before the interval grows in proportion to that time.</summary>
    [Duration("Waiting:SlowAfter", "00:00:10", "1.00:00:00")]
    public TimeSpan SlowAfter { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>The upper limit of the interval.</summary>
    [Duration("Waiting:PollSlowest", "00:00:00.2", "00:10:00")]
    public TimeSpan PollSlowest { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The shortest time between two polls of one generation, however many callbacks arrive.</summary>
    [Duration("Waiting:PollFloor", "00:00:00.1", "00:01:00")]
    public TimeSpan PollFloor { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The smallest number of generations with waiting callers for which the upstream's list is polled, if the dialect has one.</summary>
    [Number("Waiting:ListFrom", 2, 1_000_000)]
    public int ListFrom { get; set; } = 5;
}

[OptionsValidator]
internal sealed partial class WaitingOptionsValidator : IValidateOptions<WaitingOptions>;

/// <summary>Rules between the values of <see cref="WaitingOptions"/>.</summary>
internal sealed class WaitingOptionsRules : IValidateOptions<WaitingOptions>
{
    public ValidateOptionsResult Validate(string? name, WaitingOptions options)
    {
        var faults = new ValidateOptionsResultBuilder();
        if (options.PollFloor > options.PollEvery)
        {
            faults.AddError("must not be longer than Waiting:PollEvery.", "Waiting:PollFloor");
        }

        if (options.PollSlowest < options.PollEvery)
        {
            faults.AddError("must not be shorter than Waiting:PollEvery.", "Waiting:PollSlowest");
        }

        return faults.Build();
    }
}
