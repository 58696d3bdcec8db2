using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Generations;

/// <summary>Computes how long a generation is fresh. Pure.</summary>
internal static class GenerationFreshness
{
    /// <param name="generation">The generation, as the upstream gave it.</param>
    /// <param name="signsUrls">True if its dialect signs every link, even if the expiry cannot be read from it.</param>
    /// <param name="now">The current time.</param>
    /// <param name="draw">A random number from 0 to 1. It selects an interim generation's time between the two limits, so that replicas do not fetch at the same time.</param>
    /// <param name="options">The configured times.</param>
    public static Freshness Of(Generation generation, bool signsUrls, DateTimeOffset now, double draw, FreshnessOptions options)
    {
        var interim = new Freshness(options.InterimMin + ((options.InterimMax - options.InterimMin) * draw), IsFinal: false);

        return generation switch
        {
            { State: GenerationState.Failed } => new Freshness(options.Failed, IsFinal: true),
            { State: not GenerationState.Completed } => interim,
            { HasAsset: false } => interim, // the link may still appear
            { ExpiresAt: { } expiry } when HasUnreadableSignature(generation) =>
                Signed(Min(expiry - options.SignedMargin - now, options.UnreadableExpiry)),
            { ExpiresAt: { } expiry } => Signed(expiry - options.SignedMargin - now),
            _ when signsUrls || HasUnreadableSignature(generation) => new Freshness(Min(options.UnreadableExpiry, options.Completed), IsFinal: true),
            _ => new Freshness(options.Completed, IsFinal: true),
        };

        Freshness Signed(TimeSpan left) => left > TimeSpan.Zero
            ? new Freshness(Min(left, options.Completed), IsFinal: true)
            : new Freshness(interim.For, IsFinal: true);
    }

    /// <summary>The upper limits of what <see cref="Of"/> returns with these options.</summary>
    public static EntryLimits LimitsOf(FreshnessOptions options) => new(
        Final: Max(Max(options.Completed, options.Failed), options.InterimMax),
        Interim: options.InterimMax,
        NotFound: options.NotFound,
        Stale: options.Stale);

    private static bool HasUnreadableSignature(Generation generation) =>
        generation.Outputs.Any(static output => IsUnreadable(output.Url));

    private static bool IsUnreadable(string? url) => url is not null && SignedUrl.IsSigned(url) && SignedUrl.ExpiryOf(url) is null;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}

/// <summary>How long a cache entry is fresh, and whether it is final.</summary>
/// <param name="For">How long it is fresh.</param>
/// <param name="IsFinal">True if an interim entry must not replace it, and it may be served stale-if-error.</param>
internal readonly record struct Freshness(TimeSpan For, bool IsFinal);
