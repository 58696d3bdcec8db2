using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Polling;

/// <summary>How callers wait, and how what they wait for is watched. Bound to <c>Waiting</c>.</summary>
internal sealed class WaitingOptions
{
    public const string Section = "Waiting";

    /// <summary>How many callers may wait on one replica, streams included.</summary>
    [Number("Waiting:Max", 1, 1_000_000)]
    public int Max { get; set; } = 20_000;

    /// <summary>How much of <see cref="Max"/> one client may take; one place at least.</summary>
    [Number("Waiting:ClientShare", 0.01, 1.0)]
    public double ClientShare { get; set; } = 0.5;

    public int MaxOfClient => Math.Max(1, (int)(Max * ClientShare));

    /// <summary>The longest that <c>Prefer: wait</c> is granted.</summary>
    [Duration("Waiting:Longest", "00:00:01", "00:10:00")]
    public TimeSpan Longest { get; set; } = TimeSpan.FromSeconds(50);

    /// <summary>How long a stream is silent before a comment is sent on it.</summary>
    [Duration("Waiting:Heartbeat", "00:00:01", "00:05:00")]
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How often a young generation is asked about while somebody waits for it, give or take a tenth.</summary>
    [Duration("Waiting:PollEvery", "00:00:00.2", "00:01:00")]
    public TimeSpan PollEvery { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The age from which on it is asked about less often, in proportion to its age.</summary>
    [Duration("Waiting:SlowAfter", "00:00:10", "1.00:00:00")]
    public TimeSpan SlowAfter { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How often the oldest is still asked about.</summary>
    [Duration("Waiting:PollSlowest", "00:00:00.2", "00:10:00")]
    public TimeSpan PollSlowest { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The shortest time between two questions about one generation, whatever hints arrive.</summary>
    [Duration("Waiting:PollFloor", "00:00:00.1", "00:01:00")]
    public TimeSpan PollFloor { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long the replica that watches for the fleet may be silent before another takes over.</summary>
    [Duration("Waiting:LeaseLifetime", "00:00:01", "00:00:30")]
    public TimeSpan LeaseLifetime { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>From how many watched generations on the upstream's list is asked instead of each by itself, where its dialect has one.</summary>
    [Number("Waiting:ListFrom", 2, 1_000_000)]
    public int ListFrom { get; set; } = 5;
}

[OptionsValidator]
internal sealed partial class WaitingOptionsValidator : IValidateOptions<WaitingOptions>;

/// <summary>What attributes cannot say about <see cref="WaitingOptions"/>.</summary>
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
