using System.Text;
using LumaGateway.Caching;
using LumaGateway.Polling;
using LumaGateway.Tests.Support;
using LumaGateway.Time;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace LumaGateway.Tests.LongPolling;

public sealed class PollScheduleTests
{
    private static readonly DateTimeOffset Created = new(2026, 4, 8, 12, 0, 0, TimeSpan.Zero); // as the samples say

    private readonly FakeTimeProvider _clock = new(Created);
    private readonly MonotonicClock _steady;
    private readonly PollSchedule _schedule;

    public PollScheduleTests()
    {
        _steady = new MonotonicClock(_clock);
        _schedule = new PollSchedule(Options.Create(new WaitingOptions()), _clock, _steady);
    }

    [Theory]
    [InlineData("00:00:00", 2)]
    [InlineData("00:05:00", 2)]
    [InlineData("00:10:00", 4)]
    [InlineData("00:20:00", 8)]
    [InlineData("00:25:00", 10)]
    [InlineData("1.00:00:00", 10)]
    public void The_older_a_generation_the_less_often_it_is_asked_about_give_or_take_a_tenth(string age, double seconds)
    {
        _clock.Advance(TimeSpan.Parse(age, System.Globalization.CultureInfo.InvariantCulture));
        var now = _steady.Now;

        var waits = Enumerable.Range(0, PropertyCases.Of(20_000, atLeast: 2000)).Select(_ => (_schedule.After(Unfinished(), now) - now).TotalSeconds / seconds).ToList();

        Assert.InRange(waits.Min(), 0.9, 0.92); // spread over all of it, so that many do not come due together
        Assert.InRange(waits.Max(), 1.08, 1.1);
        Assert.InRange(waits.Average(), 0.99, 1.01);
    }

    [Fact]
    public void A_slow_upstream_does_not_stretch_the_schedule()
    {
        var asked = _steady.Now;
        _clock.Advance(TimeSpan.FromSeconds(1.5));

        Assert.InRange(_schedule.After(Unfinished(), asked), asked + TimeSpan.FromSeconds(1.8), asked + TimeSpan.FromSeconds(2.2));
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 4)]
    [InlineData(3, 8)]
    [InlineData(4, 10)]
    [InlineData(1000, 10)]
    public void Faults_in_a_row_double_the_wait_up_to_the_slowest(int faults, double seconds)
    {
        var waits = Enumerable.Range(0, 200).Select(_ => (_schedule.AfterFault(faults) - _steady.Now).TotalSeconds / seconds);

        Assert.All(waits, wait => Assert.InRange(wait, 0.9, 1.1));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(50)]
    [InlineData(1000)]
    public void The_budget_gives_its_rate_and_saves_no_more_than_a_quarter_of_a_second(int rate)
    {
        var budget = new PollRateLimiter(Options.Create(new LumaOptions { MaxPollsPerSecond = rate }), _clock);
        _clock.Advance(TimeSpan.FromHours(1)); // what was not used then is gone

        var (first, spent) = (Spend(budget), 0);
        for (var i = 0; i < 1000; i++)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(10));
            spent += Spend(budget);
        }

        Assert.Equal(Math.Max(1, rate / 4), first);
        Assert.InRange(spent, (rate * 10) - 1, rate * 10);
    }

    private static int Spend(PollRateLimiter budget)
    {
        var spent = 0;
        while (budget.TrySpend())
        {
            spent++;
        }

        return spent;
    }

    private static GenerationSnapshot Unfinished() => new(new CacheEntry(
        new CacheKey("g1"), EntryKind.Interim, Encoding.UTF8.GetBytes(Samples.Unfinished("g1")), Created, Created, Created));
}
