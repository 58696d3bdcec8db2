using LumaGateway.Time;
using Microsoft.Extensions.Options;

namespace LumaGateway.Polling;

/// <summary>When a generation is to be asked about again, by <see cref="MonotonicClock"/>.</summary>
internal sealed class PollSchedule(IOptions<WaitingOptions> options, TimeProvider clock, MonotonicClock steady)
{
    private readonly WaitingOptions _options = options.Value;

    /// <summary>For a generation that a caller has just begun to wait for, and asks about itself.</summary>
    public TimeSpan First() => steady.Now + _options.PollEvery;

    /// <summary>After an answer: by the generation's age, give or take a tenth, so that many do not come due together.</summary>
    /// <param name="news">The answer.</param>
    /// <param name="askedAt">When it was asked for, so that a slow upstream does not stretch the schedule.</param>
    public TimeSpan After(GenerationSnapshot news, TimeSpan askedAt)
    {
        var now = clock.GetUtcNow();
        var age = now - (news.Summary?.CreatedAt ?? now);
        return askedAt + (IntervalAt(age, _options) * Jitter());
    }

    /// <summary>After a fault: ever less often while it lasts.</summary>
    public TimeSpan AfterFault(int faultsInARow)
    {
        var wait = _options.PollEvery * Math.Pow(2, Math.Min(faultsInARow - 1, 10));
        return steady.Now + (Shorter(wait, _options.PollSlowest) * Jitter());
    }

    internal static TimeSpan IntervalAt(TimeSpan age, WaitingOptions options) => age <= options.SlowAfter
        ? options.PollEvery
        : Shorter(options.PollEvery * (age / options.SlowAfter), options.PollSlowest);

    internal static double Jitter() => 0.9 + (0.2 * Random.Shared.NextDouble());

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
