using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Proxy;

/// <summary>Limits of the upstream's API under <c>/luma</c>, and of creates. Bound to <c>Passthrough</c>. The routes are in YARP's own section, <c>ReverseProxy</c>.</summary>
internal sealed class PassthroughOptions
{
    public const string Section = "Passthrough";

    /// <summary>The largest request body under <c>/luma</c>, in bytes. A larger one gets a 413. A create may contain images in base64.</summary>
    [Number("Passthrough:MaxBodyBytes", 1024, 1024 * 1024 * 1024)]
    public long MaxBodyBytes { get; set; } = 32 * 1024 * 1024;

    /// <summary>
    /// How many bytes of request bodies one replica keeps in temporary files at a time. Bodies above 128 KiB are there until their request ends. A request beyond it gets 503
    /// <c>body_storage_unavailable</c>. Must be less than the free space of the temporary directory, and at least <c>Passthrough:MaxBodyBytes</c>.
    /// </summary>
    [Number("Passthrough:MaxStoredBytes", 1024, 1024L * 1024 * 1024 * 1024)]
    public long MaxStoredBytes { get; set; } = 200 * 1024 * 1024;

    /// <summary>How long a create with an <c>Idempotency-Key</c>, or under <c>/generations</c>, may take. With a key it continues if its caller disconnects.</summary>
    [Duration("Passthrough:CreateTimeout", "00:00:01", "00:10:00")]
    public TimeSpan CreateTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>How long the record of an <c>Idempotency-Key</c> is kept; 10 minutes if the upstream responded with 400 or 422.</summary>
    [Duration("Passthrough:IdempotencyLifetime", "00:10:00", "30.00:00:00")]
    public TimeSpan IdempotencyLifetime { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Refuses creates without an <c>Idempotency-Key</c> with 428, under <c>/generations</c> and under <c>/luma</c>.</summary>
    public bool RequireIdempotencyKey { get; set; }
}

[OptionsValidator]
internal sealed partial class PassthroughOptionsValidator : IValidateOptions<PassthroughOptions>;

/// <summary>Rules between the values of <see cref="PassthroughOptions"/>.</summary>
internal sealed class PassthroughOptionsRules : IValidateOptions<PassthroughOptions>
{
    public ValidateOptionsResult Validate(string? name, PassthroughOptions options) => options.MaxStoredBytes < options.MaxBodyBytes
        ? ValidateOptionsResult.Fail("Passthrough:MaxStoredBytes must not be less than Passthrough:MaxBodyBytes: the largest body would never fit.")
        : ValidateOptionsResult.Success;
}
