using System.Text;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Polling;
using LumaGateway.Tests.Support;
using LumaGateway.Time;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace LumaGateway.Tests.Polling;

public sealed class PollScheduleTests
{
    private static readonly DateTimeOffset Created = new(2026, 4, 8, 12, 0, 0, TimeSpan.Zero); // the created_at of the samples

    private readonly FakeTimeProvider _clock = new(Created);
    private readonly MonotonicClock _monotonic;
    private readonly PollSchedule _schedule;

    public PollScheduleTests()
    {
        _monotonic = new MonotonicClock(_clock);
        _schedule = new PollSchedule(Options.Create(new WaitingOptions()), Options.Create(new FreshnessOptions()), _clock, _monotonic);
    }

    [Theory]
    [InlineData("00:00:00", 2)]
    [InlineData("00:05:00", 2)]
    [InlineData("00:10:00", 4)]
    [InlineData("00:20:00", 8)]
    [InlineData("00:25:00", 10)]
    [InlineData("1.00:00:00", 10)]
    public void The_interval_grows_with_the_time_of_polling_with_10_percent_jitter(string polled, double seconds)
    {
        var target = TargetPolledFromNow();
        _clock.Advance(TimeSpan.Parse(polled, System.Globalization.CultureInfo.InvariantCulture));
        var now = _monotonic.Now;

        var ratios = Enumerable.Range(0, PropertyCases.Of(20_000, atLeast: 2000)).Select(_ => (_schedule.After(target, Interim(_clock.GetUtcNow())) - now).TotalSeconds / seconds).ToList();

        Assert.InRange(ratios.Min(), 0.9, 0.92); // the jitter uses its whole range
        Assert.InRange(ratios.Max(), 1.08, 1.1);
        Assert.InRange(ratios.Average(), 0.99, 1.01);
    }

    [Fact]
    public void The_duration_of_a_poll_does_not_lengthen_the_interval()
    {
        var (polledAt, requestedAt) = (_monotonic.Now, _clock.GetUtcNow());
        _clock.Advance(TimeSpan.FromSeconds(1.5));

        Assert.InRange(_schedule.After(TargetPolledFromNow(), Interim(requestedAt)), polledAt + TimeSpan.FromSeconds(1.8), polledAt + TimeSpan.FromSeconds(2.2));
    }

    [Theory]
    [InlineData("0001-01-02T00:00:00Z")]
    [InlineData("2026-04-08T04:00:00Z")]
    [InlineData("2026-04-08T20:00:00Z")]
    [InlineData("9999-12-31T00:00:00Z")]
    public void The_interval_does_not_depend_on_the_upstreams_clock(string createdAt)
    {
        var target = TargetPolledFromNow();
        var snapshot = Snapshot($$"""{"id":"g1","state":"processing","created_at":"{{createdAt}}"}""", _clock.GetUtcNow());
        target.TryUpdate(snapshot, _clock.GetUtcNow(), out _);

        Assert.InRange((_schedule.After(target, snapshot) - _monotonic.Now).TotalSeconds, 1.8, 2.2);
        Assert.Equal(_clock.GetUtcNow().AddSeconds(-1.8), _schedule.NotBefore(target));
    }

    [Theory]
    [InlineData("\"2026-04-08T11:00:01Z\"", "00:00:00", false)]
    [InlineData("\"2026-04-08T11:00:00Z\"", "00:00:00", true)]
    [InlineData("null", "00:59:59", false)]
    [InlineData("null", "01:00:00", true)]
    [InlineData("\"2027-01-01T00:00:00Z\"", "00:59:59", false)]
    [InlineData("\"2027-01-01T00:00:00Z\"", "01:00:00", true)]
    public void An_unknown_state_ends_waits_an_hour_after_the_creation_or_after_the_first_poll(string createdAt, string polled, bool isTooLong)
    {
        var target = TargetPolledFromNow();
        _clock.Advance(TimeSpan.Parse(polled, System.Globalization.CultureInfo.InvariantCulture));
        var body = $$"""{"id":"g1","state":"processing","created_at":{{createdAt}}}""";

        Assert.Equal(isTooLong, _schedule.IsUnknownForTooLong(target, Snapshot(body, _clock.GetUtcNow(), isStateUnknown: true)));
        Assert.False(_schedule.IsUnknownForTooLong(target, Snapshot(body, _clock.GetUtcNow())));
    }

    [Theory]
    [InlineData(60, true)]
    [InlineData(61, false)]
    public void A_watch_continues_if_the_next_waiter_starts_within_a_minute(int seconds, bool continues)
    {
        var history = new RecentPollingPeriods();
        var key = GenerationId.Parse("g1", null);
        var (period, left) = (new PollingPeriod(TimeSpan.FromHours(1)), TimeSpan.FromHours(2));
        history.Add(key, period, left);
        var now = left + TimeSpan.FromSeconds(seconds);

        var next = history.Take(key, now);
        Assert.Equal(continues, ReferenceEquals(period, next));
        Assert.Equal(continues ? period.Since : now, next.Since);
        Assert.NotSame(period, history.Take(key, now));
    }

    [Fact]
    public void An_entry_younger_than_90_percent_of_the_interval_replaces_a_poll() =>
        Assert.Equal(_clock.GetUtcNow().AddSeconds(-1.8), _schedule.NotBefore(new PollTarget(GenerationId.Parse("g1", null))));

    [Theory]
    [InlineData(0.5, 1)]
    [InlineData(1.5, 1.5)]
    [InlineData(3, 1.8)]
    public void After_a_hint_only_an_entry_from_after_it_or_younger_than_the_floor_replaces_a_poll(double hintedAgo, double accepted)
    {
        var now = _clock.GetUtcNow();
        var target = new PollTarget(GenerationId.Parse("g1", null)) { HintedAt = now.AddSeconds(-hintedAgo) };

        Assert.Equal(now.AddSeconds(-accepted), _schedule.NotBefore(target));
    }

    [Fact]
    public void After_the_clock_is_set_back_a_hint_does_not_count() => // the time of the hint is in the future
        Assert.Equal(_clock.GetUtcNow().AddSeconds(-1.8), _schedule.NotBefore(new PollTarget(GenerationId.Parse("g1", null)) { HintedAt = _clock.GetUtcNow().AddHours(1) }));

    [Fact]
    public void A_hint_polls_at_once_but_not_within_the_floor_after_the_last_request()
    {
        Assert.Equal(_monotonic.Now, _schedule.AfterHint(null));
        Assert.Equal(_monotonic.Now + TimeSpan.FromSeconds(1), _schedule.AfterHint(Interim(_clock.GetUtcNow())));
        Assert.Equal(_monotonic.Now, _schedule.AfterHint(Interim(_clock.GetUtcNow().AddSeconds(-5))));
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 4)]
    [InlineData(3, 8)]
    [InlineData(4, 10)]
    [InlineData(1000, 10)]
    public void Consecutive_faults_double_the_interval_up_to_the_limit(int faults, double seconds)
    {
        var ratios = Enumerable.Range(0, 200).Select(_ => (_schedule.AfterFault(faults) - _monotonic.Now).TotalSeconds / seconds);

        Assert.All(ratios, ratio => Assert.InRange(ratio, 0.9, 1.1));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(50)]
    [InlineData(1000)]
    public void The_rate_limiter_allows_its_rate_and_a_burst_of_a_quarter_of_a_second(int rate)
    {
        var limiter = new PollRateLimiter(Options.Create(new LumaOptions { MaxPollsPerSecond = rate }), _clock);
        _clock.Advance(TimeSpan.FromHours(1)); // unused tokens beyond the burst expire

        var (burst, acquired) = (AcquireAll(limiter), 0);
        for (var i = 0; i < 1000; i++)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(10));
            acquired += AcquireAll(limiter);
        }

        Assert.Equal(Math.Max(1, rate / 4), burst);
        Assert.InRange(acquired, (rate * 10) - 1, rate * 10);
    }

    [Fact]
    public void The_rate_limiter_starts_with_one_token()
    {
        Assert.Equal(1, AcquireAll(new PollRateLimiter(Options.Create(new LumaOptions { MaxPollsPerSecond = 50 }), _clock)));
    }

    private static int AcquireAll(PollRateLimiter limiter)
    {
        var acquired = 0;
        while (limiter.TryAcquire())
        {
            acquired++;
        }

        return acquired;
    }

    private PollTarget TargetPolledFromNow() => new(GenerationId.Parse("g1", null)) { PollingPeriod = new PollingPeriod(_monotonic.Now) };

    private static GenerationSnapshot Interim(DateTimeOffset requestedAt) => Snapshot(Samples.Interim("g1"), requestedAt);

    private static GenerationSnapshot Snapshot(string body, DateTimeOffset requestedAt, bool isStateUnknown = false) => new(
        new CacheEntry(GenerationId.Parse("g1", null), EntryKind.Interim, Encoding.UTF8.GetBytes(body), Created, Created, Created)
        {
            RequestedAt = requestedAt,
            IsStateUnknown = isStateUnknown,
        });
}
