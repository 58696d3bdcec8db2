using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Access;

/// <summary>How much one client may ask of one replica. Bound to <c>Limits</c>; <c>Access:Clients:&lt;n&gt;:Limits</c> overrides it for one client.</summary>
internal sealed class LimitsOptions
{
    public const string Section = "Limits";

    /// <summary>Requests a second of one client, counted in cached answers; 0: as many as it likes.</summary>
    [Number("Limits:RequestsPerSecond", 0, 1_000_000)]
    public int RequestsPerSecond { get; set; } = 1000;

    /// <summary>How many requests a client that was quiet may send at once.</summary>
    [Number("Limits:Burst", 1, 10_000_000)]
    public int Burst { get; set; } = 5000;

    /// <summary>Requests of one client under way at the same time, waiters not counted; 0: as many as it likes.</summary>
    [Number("Limits:Concurrency", 0, 1_000_000)]
    public int Concurrency { get; set; } = 1000;

    /// <summary>What a request that goes to the upstream costs, in cached answers.</summary>
    [Number("Limits:UpstreamCost", 1, 1000)]
    public int UpstreamCost { get; set; } = 5;

    /// <summary>The limits of a client with these settings of its own.</summary>
    public ClientLimits For(ClientLimitsOptions own) => new(
        own.RequestsPerSecond ?? RequestsPerSecond, own.Burst ?? Burst, own.Concurrency ?? Concurrency, UpstreamCost);
}

[OptionsValidator]
internal sealed partial class LimitsOptionsValidator : IValidateOptions<LimitsOptions>;
