using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>The limits of one replica on concurrent requests to the upstream. Bound to <c>Limits:Upstream</c>.</summary>
internal sealed class UpstreamLimitsOptions
{
    public const string Section = "Limits:Upstream";

    /// <summary>The largest number of concurrent requests to one account: reads, creates, deletes and proxied requests together.</summary>
    [Number("Limits:Upstream:Concurrency", 1, 10_000)]
    public int Concurrency { get; set; } = 64;

    /// <summary>The largest number of queued requests; a further request fails at once.</summary>
    [Number("Limits:Upstream:Queue", 0, 100_000)]
    public int Queue { get; set; } = 128;

    /// <summary>The longest time in the queue before a request fails; at most half of <c>Luma:AttemptTimeout</c>.</summary>
    [Duration("Limits:Upstream:QueueTimeout", "00:00:00.01", "00:00:30")]
    public TimeSpan QueueTimeout { get; set; } = TimeSpan.FromSeconds(1);
}

[OptionsValidator]
internal sealed partial class UpstreamLimitsOptionsValidator : IValidateOptions<UpstreamLimitsOptions>;
