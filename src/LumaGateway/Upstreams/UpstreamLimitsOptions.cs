using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>How hard one replica leans on the upstream, whoever asks. Bound to <c>Limits:Upstream</c>.</summary>
internal sealed class UpstreamLimitsOptions
{
    public const string Section = "Limits:Upstream";

    /// <summary>Exchanges under way at the same time, reads and passthrough together.</summary>
    [Number("Limits:Upstream:Concurrency", 1, 10_000)]
    public int Concurrency { get; set; } = 64;

    /// <summary>How many may wait for their turn; the next one is refused.</summary>
    [Number("Limits:Upstream:Queue", 0, 100_000)]
    public int Queue { get; set; } = 128;

    /// <summary>How long one waits for its turn before it is refused; at most half of <c>Luma:AttemptTimeout</c>.</summary>
    [Duration("Limits:Upstream:QueueTimeout", "00:00:00.01", "00:00:30")]
    public TimeSpan QueueTimeout { get; set; } = TimeSpan.FromSeconds(1);
}

[OptionsValidator]
internal sealed partial class UpstreamLimitsOptionsValidator : IValidateOptions<UpstreamLimitsOptions>;
