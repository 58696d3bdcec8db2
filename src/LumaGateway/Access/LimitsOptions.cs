using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Access;

/// <summary>The limits of every client in one replica. Bound to <c>Limits</c>; <c>Access:Clients:&lt;n&gt;:Limits</c> overrides it for one client.</summary>
internal sealed class LimitsOptions
{
    public const string Section = "Limits";

    /// <summary>Requests per second of one client; a cache hit counts as one. 0: no limit.</summary>
    [Number("Limits:RequestsPerSecond", 0, 1_000_000)]
    public int RequestsPerSecond { get; set; } = 1000;

    /// <summary>The size of the token bucket: how many requests an idle client may send at once.</summary>
    [Number("Limits:Burst", 1, 10_000_000)]
    public int Burst { get; set; } = 5000;

    /// <summary>Concurrent requests of one client, without waiters. 0: no limit.</summary>
    [Number("Limits:Concurrency", 0, 1_000_000)]
    public int Concurrency { get; set; } = 1000;

    /// <summary>The cost of a request that causes an upstream request, in tokens; a cache hit costs one.</summary>
    [Number("Limits:UpstreamCost", 1, 1000)]
    public int UpstreamCost { get; set; } = 5;

    /// <summary>Returns the limits of a client with its overrides.</summary>
    public ClientLimits For(ClientLimitsOptions own) => new(
        own.RequestsPerSecond ?? RequestsPerSecond, own.Burst ?? Burst, own.Concurrency ?? Concurrency, UpstreamCost);
}

[OptionsValidator]
internal sealed partial class LimitsOptionsValidator : IValidateOptions<LimitsOptions>;
