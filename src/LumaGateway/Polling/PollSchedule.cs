using LumaGateway.Time;
using Microsoft.Extensions.Options;

namespace LumaGateway.Polling;

/// <summary>Computes when a generation is polled next. All results are times of <see cref="MonotonicClock"/>.</summary>
internal sealed class PollSchedule(IOptions<WaitingOptions> options, TimeProvider clock, MonotonicClock steady)
{
    private readonly WaitingOptions _options = options.Value;

    /// <summary>The first poll. The first waiter reads the generation itself, so this is one interval later.</summary>
    public TimeSpan First() => steady.Now + _options.PollEvery;

    /// <summary>The poll after a successful one. The interval depends on the generation's age, with ± 10 % jitter.</summary>
    /// <param name="snapshot">The result of the last poll.</param>
    /// <param name="polledAt">When that poll started: the time that the upstream took does not lengthen the interval.</param>
    public TimeSpan After(GenerationSnapshot snapshot, TimeSpan polledAt)
    {
        var now = clock.GetUtcNow();
        var age = now - (snapshot.Summary?.CreatedAt ?? now);
        return polledAt + (IntervalAt(age, _options) * Jitter());
    }

    /// <summary>The poll after a fault. The interval doubles with every consecutive fault, up to <c>Waiting:PollSlowest</c>.</summary>
    public TimeSpan AfterFault(int consecutiveFaults)
    {
        var interval = _options.PollEvery * Math.Pow(2, Math.Min(consecutiveFaults - 1, 10));
        return steady.Now + (Min(interval, _options.PollSlowest) * Jitter());
    }

    internal static TimeSpan IntervalAt(TimeSpan age, WaitingOptions options) => age <= options.SlowAfter
        ? options.PollEvery
        : Min(options.PollEvery * (age / options.SlowAfter), options.PollSlowest);

    /// <summary>A factor from 0.9 to 1.1: it keeps polls of many generations from coming due at the same time.</summary>
    internal static double Jitter() => 0.9 + (0.2 * Random.Shared.NextDouble());

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
