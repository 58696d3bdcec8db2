using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Generations;

/// <summary>How long cache entries are fresh. Bound to <c>Freshness</c>.</summary>
internal sealed class FreshnessOptions
{
    public const string Section = "Freshness";

    /// <summary>How long a completed generation with unsigned links is fresh. The upper limit for one with signed links.</summary>
    [Duration("Freshness:Completed", "00:00:01", "30.00:00:00")]
    public TimeSpan Completed { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How long a failed generation is fresh.</summary>
    [Duration("Freshness:Failed", "00:00:01", "30.00:00:00")]
    public TimeSpan Failed { get; set; } = TimeSpan.FromHours(1);

    /// <summary>A completed generation stops being fresh this long before its first signed link expires.</summary>
    [Duration("Freshness:SignedMargin", "00:00:00", "1.00:00:00")]
    public TimeSpan SignedMargin { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>The upper limit of the freshness of a completed generation with a signed link, if the expiry cannot be read from it.</summary>
    [Duration("Freshness:UnreadableExpiry", "00:00:01", "1.00:00:00")]
    public TimeSpan UnreadableExpiry { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>The lower limit of the freshness of an interim generation.</summary>
    [Duration("Freshness:InterimMin", "00:00:00.1", "00:00:30")]
    public TimeSpan InterimMin { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The upper limit of the freshness of an interim generation. The time is a random value from <c>Freshness:InterimMin</c> to this limit.</summary>
    [Duration("Freshness:InterimMax", "00:00:00.1", "00:00:30")]
    public TimeSpan InterimMax { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long an id that the upstream does not know is cached. Short, because the id may be created at any moment.</summary>
    [Duration("Freshness:NotFound", "00:00:00", "00:00:02")]
    public TimeSpan NotFound { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long after <c>created_at</c>, or after its first poll, a generation may be in a state that the gateway does not know. After this time its waits end with the
    /// state as it is.
    /// </summary>
    [Duration("Freshness:UnknownStateTimeout", "00:00:10", "30.00:00:00")]
    public TimeSpan UnknownStateTimeout { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Stale-if-error (RFC 5861): how long after its freshness a final entry may be served over an upstream fault.</summary>
    [Duration("Freshness:Stale", "00:00:00", "30.00:00:00")]
    public TimeSpan Stale { get; set; } = TimeSpan.FromDays(7);
}

[OptionsValidator]
internal sealed partial class FreshnessOptionsValidator : IValidateOptions<FreshnessOptions>;

/// <summary>Rules between the values of <see cref="FreshnessOptions"/>.</summary>
internal sealed class FreshnessOptionsRules : IValidateOptions<FreshnessOptions>
{
    public ValidateOptionsResult Validate(string? name, FreshnessOptions options) => options.InterimMin <= options.InterimMax
        ? ValidateOptionsResult.Success
        : ValidateOptionsResult.Fail("Freshness:InterimMin must not be longer than Freshness:InterimMax.");
}
