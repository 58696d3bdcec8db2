using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Proxy;

/// <summary>The bounds of the raw API. Bound to <c>Passthrough</c>. Its routes are YARP's own section, <c>ReverseProxy</c>.</summary>
internal sealed class PassthroughOptions
{
    public const string Section = "Passthrough";

    /// <summary>The largest request body that passes, in bytes; one with an <c>Idempotency-Key</c> may have 1 MiB at most.</summary>
    [Number("Passthrough:MaxRequestBytes", 1024, 1024 * 1024 * 1024)]
    public long MaxRequestBytes { get; set; } = 32 * 1024 * 1024;

    /// <summary>How long a create with an <c>Idempotency-Key</c> may take; it goes on when its caller leaves.</summary>
    [Duration("Passthrough:CreateTimeout", "00:00:01", "00:10:00")]
    public TimeSpan CreateTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>How long an <c>Idempotency-Key</c> is remembered.</summary>
    [Duration("Passthrough:IdempotencyLifetime", "00:10:00", "30.00:00:00")]
    public TimeSpan IdempotencyLifetime { get; set; } = TimeSpan.FromHours(24);
}

[OptionsValidator]
internal sealed partial class PassthroughOptionsValidator : IValidateOptions<PassthroughOptions>;
