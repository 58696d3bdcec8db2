using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Generations;

/// <summary>How long an answer may be kept. Bound to <c>Freshness</c>.</summary>
internal sealed class FreshnessOptions
{
    public const string Section = "Freshness";

    /// <summary>A completed generation whose links are not signed; the most for one whose links are.</summary>
    [Duration("Freshness:Completed", "00:00:01", "30.00:00:00")]
    public TimeSpan Completed { get; set; } = TimeSpan.FromHours(24);

    /// <summary>A failed generation.</summary>
    [Duration("Freshness:Failed", "00:00:01", "30.00:00:00")]
    public TimeSpan Failed { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long before its earliest link expires an answer stops being fresh.</summary>
    [Duration("Freshness:SignedMargin", "00:00:00", "1.00:00:00")]
    public TimeSpan SignedMargin { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>A completed generation of a dialect that signs its links, where the expiry cannot be read.</summary>
    [Duration("Freshness:UnreadableExpiry", "00:00:01", "1.00:00:00")]
    public TimeSpan UnreadableExpiry { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>The shortest time that an unfinished generation is kept.</summary>
    [Duration("Freshness:UnfinishedMin", "00:00:00.1", "00:00:30")]
    public TimeSpan UnfinishedMin { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest time that an unfinished generation is kept; the time itself is drawn between the two.</summary>
    [Duration("Freshness:UnfinishedMax", "00:00:00.1", "00:00:30")]
    public TimeSpan UnfinishedMax { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>That the upstream does not know an id. Short: it must not hide an id that was just created.</summary>
    [Duration("Freshness:NotFound", "00:00:00", "00:00:02")]
    public TimeSpan NotFound { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long past its freshness a terminal answer may cover a fault of the upstream.</summary>
    [Duration("Freshness:Stale", "00:00:00", "30.00:00:00")]
    public TimeSpan Stale { get; set; } = TimeSpan.FromDays(7);
}

[OptionsValidator]
internal sealed partial class FreshnessOptionsValidator : IValidateOptions<FreshnessOptions>;

/// <summary>What attributes cannot say about <see cref="FreshnessOptions"/>.</summary>
internal sealed class FreshnessOptionsRules : IValidateOptions<FreshnessOptions>
{
    public ValidateOptionsResult Validate(string? name, FreshnessOptions options) => options.UnfinishedMin <= options.UnfinishedMax
        ? ValidateOptionsResult.Success
        : ValidateOptionsResult.Fail("Freshness:UnfinishedMin must not be longer than Freshness:UnfinishedMax.");
}
