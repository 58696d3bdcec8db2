using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Jobs;

/// <summary>Jobs, slots and the replicas of the ledger's Redis. Bound to <c>Jobs</c>.</summary>
internal sealed class JobsOptions
{
    public const string Section = "Jobs";

    /// <summary>How long the ledger keeps a job: which client created which generation on which account.</summary>
    [Duration("Jobs:Retention", "01:00:00", "366.00:00:00")]
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How long a create waits for a slot of its account, with <c>Luma:MaxConcurrentJobs</c> or <c>Luma:MaxCreatesPerMinute</c>.</summary>
    [Duration("Jobs:QueueTimeout", "00:00:00", "00:01:30")]
    public TimeSpan QueueTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How many replicas of the ledger's Redis must confirm an <c>Idempotency-Key</c> before its create is sent; with fewer, the create is refused. Set it to the number of replicas that a
    /// master has. 0: creates are sent whatever the replicas confirm.
    /// </summary>
    [Number("Jobs:LedgerReplicas", 0, 10)]
    public int LedgerReplicas { get; set; }
}

[OptionsValidator]
internal sealed partial class JobsOptionsValidator : IValidateOptions<JobsOptions>;
