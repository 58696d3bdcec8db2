using System.Globalization;
using LumaGateway.Contracts;
using LumaGateway.Polling;
using LumaGateway.Tests.Caching;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace LumaGateway.Tests.Polling;

/// <summary>The number of purges that are remembered. Needs nothing.</summary>
public sealed class RecentPurgesTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _clock = new(Entries.Noon);

    [Fact]
    public void Ten_thousand_purges_are_remembered_until_no_state_from_before_them_can_arrive()
    {
        var purges = new RecentPurges(Options.Create(new LumaOptions { Deadline = Deadline }), _clock);
        for (var number = 0; number <= 10_000; number++)
        {
            purges.Add(IdOf(number));
        }

        Assert.True(IsFromBefore(9_999));
        Assert.False(IsFromBefore(10_000));

        _clock.Advance(Deadline + TimeSpan.FromSeconds(2)); // the clocks of replicas differ
        purges.Add(IdOf(10_000));

        Assert.True(IsFromBefore(10_000));
        Assert.False(IsFromBefore(9_999));

        bool IsFromBefore(int number) => purges.IsFromBefore(Entries.Interim(Entries.Noon.AddMilliseconds(-1), key: IdOf(number)));
    }

    [Fact]
    public void A_purge_before_the_clock_is_set_back_does_not_count()
    {
        var purges = new RecentPurges(Options.Create(new LumaOptions { Deadline = Deadline }), _clock);
        purges.Add(Entries.Key);
        var before = Entries.Interim(Entries.Noon.AddMilliseconds(-1));
        Assert.True(purges.IsFromBefore(before));
        Assert.True(purges.MayBeFromBefore(before));

        _clock.AdjustTime(Entries.Noon.AddHours(-1));
        var after = Entries.Interim(_clock.GetUtcNow());

        Assert.False(purges.IsFromBefore(after));
        Assert.False(purges.MayBeFromBefore(after));
    }

    [Fact]
    public void Purges_before_the_clock_is_set_back_do_not_displace_later_ones()
    {
        var purges = new RecentPurges(Options.Create(new LumaOptions { Deadline = Deadline }), _clock);
        for (var number = 0; number < 10_000; number++)
        {
            purges.Add(IdOf(number));
        }

        _clock.AdjustTime(Entries.Noon.AddHours(-1));
        purges.Add(IdOf(10_000));

        Assert.True(purges.IsFromBefore(Entries.Interim(_clock.GetUtcNow().AddMilliseconds(-1), key: IdOf(10_000))));
    }

    private static GenerationId IdOf(int number) => GenerationId.Parse(string.Create(CultureInfo.InvariantCulture, $"g{number}"), null);
}
