using LumaGateway.Caching;
using LumaGateway.Contracts;

namespace LumaGateway.Generations;

/// <summary>How long an answer is fresh: a pure function of the answer, the time and a draw.</summary>
internal static class GenerationFreshness
{
    /// <param name="generation">The answer.</param>
    /// <param name="signsUrls">Whether its dialect signs every link, readable expiry or not.</param>
    /// <param name="now">The time.</param>
    /// <param name="draw">0 to 1: where between its two bounds the time of an unfinished answer falls, so that replicas do not ask in step.</param>
    /// <param name="options">The bounds.</param>
    public static Freshness Of(Generation generation, bool signsUrls, DateTimeOffset now, double draw, FreshnessOptions options)
    {
        var unfinished = new Freshness(options.UnfinishedMin + ((options.UnfinishedMax - options.UnfinishedMin) * draw), IsFinal: false);

        return generation switch
        {
            { State: GenerationState.Failed } => new Freshness(options.Failed, IsFinal: true),
            { State: not GenerationState.Completed } => unfinished,
            { HasAsset: false } => unfinished, // the link may still appear
            { ExpiresAt: { } expiry } => Signed(expiry - options.SignedMargin - now),
            _ when signsUrls => new Freshness(Shorter(options.UnreadableExpiry, options.Completed), IsFinal: true),
            _ => new Freshness(options.Completed, IsFinal: true),
        };

        Freshness Signed(TimeSpan left) => left > TimeSpan.Zero
            ? new Freshness(Shorter(left, options.Completed), IsFinal: true)
            : new Freshness(unfinished.For, IsFinal: true);
    }

    /// <summary>The longest times that <see cref="Of"/> gives an answer under these options.</summary>
    public static EntryLimits LimitsOf(FreshnessOptions options) => new(
        Final: Longer(Longer(options.Completed, options.Failed), options.UnfinishedMax),
        Interim: options.UnfinishedMax,
        NotFound: options.NotFound,
        Stale: options.Stale);

    private static TimeSpan Longer(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;
}

/// <summary>What is decided about keeping an answer.</summary>
/// <param name="For">How long it is fresh.</param>
/// <param name="IsFinal">Whether it may never be replaced by an unfinished one, and may cover the upstream's faults later.</param>
internal readonly record struct Freshness(TimeSpan For, bool IsFinal);
