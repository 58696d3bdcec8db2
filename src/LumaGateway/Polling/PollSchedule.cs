using LumaGateway.Caching;
using LumaGateway.Generations;
using LumaGateway.Time;
using Microsoft.Extensions.Options;

namespace LumaGateway.Polling;

/// <summary>Computes when a generation is polled next, and which entry replaces a poll. Due times are times of <see cref="MonotonicClock"/>.</summary>
internal sealed class PollSchedule(IOptions<WaitingOptions> options, IOptions<FreshnessOptions> freshness, TimeProvider clock, MonotonicClock monotonic)
{
    /// <summary>The part of the interval in which an entry, requested by any replica, replaces a poll: the lower bound of <see cref="Jitter"/>.</summary>
    private const double MinJitter = 0.9;

    private readonly WaitingOptions _options = options.Value;

    /// <summary>The shortest time between two hints of one generation that are accepted.</summary>
    public TimeSpan Floor => _options.PollFloor;

    /// <summary>The first poll. The first waiter reads the generation itself, so this is one interval later.</summary>
    public TimeSpan First() => monotonic.Now + _options.PollEvery;

    /// <summary>
    /// The poll after a result. The interval depends on how long the gateway has polled the generation, with ± 10 % jitter, and begins with the request of the result.
    /// The upstream's <c>created_at</c> does not count: its clock may be years off.
    /// </summary>
    public TimeSpan After(PollTarget target, GenerationSnapshot snapshot) => RequestedAt(snapshot.Entry) + (IntervalOf(target) * Jitter());

    /// <summary>
    /// True if the generation has been in an unknown state for <c>Freshness:UnknownStateTimeout</c>, since its <c>created_at</c> or else since its first poll. A
    /// <c>created_at</c> in the future does not count.
    /// </summary>
    public bool IsUnknownForTooLong(PollTarget target, GenerationSnapshot snapshot)
    {
        if (!snapshot.IsStateUnknown)
        {
            return false;
        }

        var age = clock.GetUtcNow() - snapshot.Summary?.CreatedAt;
        return (age is { } known && known > TimeSpan.Zero ? known : PolledFor(target)) >= freshness.Value.UnknownStateTimeout;
    }

    /// <summary>The poll after a hint: now, or <c>Waiting:PollFloor</c> after the request of the last result.</summary>
    public TimeSpan AfterHint(GenerationSnapshot? snapshot)
    {
        var now = monotonic.Now;
        var earliest = snapshot is null ? now : RequestedAt(snapshot.Entry) + _options.PollFloor;
        return earliest > now ? earliest : now;
    }

    /// <summary>The poll after a fault. The interval doubles with every consecutive fault, up to <c>Waiting:PollSlowest</c>.</summary>
    public TimeSpan AfterFault(int consecutiveFaults)
    {
        var interval = _options.PollEvery * Math.Pow(2, Math.Min(consecutiveFaults - 1, 10));
        return monotonic.Now + (Min(interval, _options.PollSlowest) * Jitter());
    }

    /// <summary>The next sweep of the upstream's list.</summary>
    public TimeSpan NextSweep() => monotonic.Now + (_options.PollEvery * Jitter());

    /// <summary>True if two intervals have passed since a time.</summary>
    public bool IsOverdue(TimeSpan since) => monotonic.Now - since > 2 * _options.PollEvery;

    /// <summary>An entry that another replica's sweep requested at this time or later replaces a poll: its sweeps and this replica's reads are not in step.</summary>
    public DateTimeOffset SweptNotBefore => clock.GetUtcNow() - (2 * _options.PollEvery);

    /// <summary>How long one sweep serves all replicas.</summary>
    public TimeSpan SweepInterval => _options.PollEvery * MinJitter;

    /// <summary>True if reading the upstream's list costs less than reading so many generations.</summary>
    public bool IsListWorthwhile(int targetCount) => targetCount >= _options.ListFrom;

    /// <summary>
    /// An entry requested at this time or later, by any replica, replaces the poll of a target. So all replicas together send at most one request in 90 % of
    /// the interval. After a hint, an entry from before the hint does not replace the poll, unless it is younger than <c>Waiting:PollFloor</c>.
    /// </summary>
    public DateTimeOffset NotBefore(PollTarget target)
    {
        var now = clock.GetUtcNow();
        var interval = now - (IntervalOf(target) * MinJitter);
        var floor = now - _options.PollFloor;
        var hint = target.HintedAt > now ? interval : target.HintedAt < floor ? target.HintedAt : floor; // a hint in the future is ignored: the clock was set back
        return hint > interval ? hint : interval;
    }

    private TimeSpan IntervalOf(PollTarget target)
    {
        var polled = PolledFor(target);
        return polled <= _options.SlowAfter
            ? _options.PollEvery
            : Min(_options.PollEvery * (polled / _options.SlowAfter), _options.PollSlowest);
    }

    private TimeSpan PolledFor(PollTarget target) => target.PollingPeriod is { } period ? monotonic.Now - period.Since : TimeSpan.Zero;

    private TimeSpan RequestedAt(CacheEntry entry)
    {
        var age = clock.GetUtcNow() - entry.RequestedAt;
        return monotonic.Now - (age > TimeSpan.Zero ? age : TimeSpan.Zero);
    }

    /// <summary>A factor from 0.9 to 1.1: it keeps polls of many generations from coming due at the same time.</summary>
    private static double Jitter() => MinJitter + (0.2 * Random.Shared.NextDouble());

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
