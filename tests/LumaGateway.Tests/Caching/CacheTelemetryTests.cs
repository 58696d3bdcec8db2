using System.Diagnostics;
using System.Diagnostics.Metrics;
using LumaGateway.Caching;
using LumaGateway.Problems;
using LumaGateway.Tests.Redis;

namespace LumaGateway.Tests.Caching;

/// <summary>The metrics and spans of the cache. Needs nothing.</summary>
public sealed class CacheTelemetryTests : IAsyncDisposable
{
    private static readonly UpstreamException Fault = new(UpstreamFault.Unreachable, "The origin is unreachable.");

    private readonly WaitingClock _clock = new();
    private readonly CacheUnderTest _cache;

    public CacheTelemetryTests() => _cache = CacheUnderTest.Create(_clock);

    public ValueTask DisposeAsync() => _cache.DisposeAsync();

    [Fact]
    public async Task Results_are_counted_by_status_and_tier_and_hits_and_joined_fetches_as_saved()
    {
        using var results = _cache.Collect<long>("results");
        using var saved = _cache.Collect<long>("saved");
        var fetch = _cache.Origin.HoldNext(Entries.Final(_clock.Now));
        var (first, second) = (_cache.ReadAsync(), _cache.ReadAsync());
        await fetch.ReachedAsync();
        fetch.Release();
        await first;
        await second;
        await _cache.ReadAsync();
        _cache.Cache.RecordHit((await _cache.ReadAsync()).Entry!);
        _clock.Advance(TimeSpan.FromHours(1));
        _cache.Origin.Fails(Fault);
        await _cache.ReadAsync();

        Assert.Equal(
            ["collapsed none 1", "hit memory 3", "miss none 1", "stale memory 1"],
            results.GetMeasurementSnapshot()
                .GroupBy(result => $"{result.Tags["luma_gateway.cache.status"]} {result.Tags["luma_gateway.cache.tier"]}")
                .Select(group => $"{group.Key} {group.Sum(result => result.Value)}")
                .Order());
        saved.RecordObservableInstruments();
        Assert.Equal(4, saved.LastMeasurement!.Value);
    }

    [Fact]
    public async Task A_result_without_an_entry_is_counted_as_a_fault_only()
    {
        using var results = _cache.Collect<long>("results");
        using var faults = _cache.Collect<long>("faults");
        _cache.Origin.Fails(Fault);

        await _cache.ReadAsync();

        Assert.Equal(1, Assert.Single(faults.GetMeasurementSnapshot()).Value);
        Assert.Empty(results.GetMeasurementSnapshot());
    }

    [Fact]
    public async Task A_purge_is_counted()
    {
        using var purges = _cache.Collect<long>("purges");

        await _cache.Cache.PurgeAsync(Entries.Key).WithTimeout();

        Assert.Equal(1, Assert.Single(purges.GetMeasurementSnapshot()).Value);
    }

    [Fact]
    public async Task A_renewal_is_counted_and_a_refresh_and_TryGetFresh_are_not()
    {
        _cache.Origin.Returns(Entries.Final(_clock.Now));
        var entry = (await _cache.ReadAsync()).Entry!;
        using var results = _cache.Collect<long>("results");

        _cache.Cache.TryGetFresh(Entries.Key, _clock.Now);
        await _cache.RefreshAsync(_clock.Now);
        Assert.Empty(results.GetMeasurementSnapshot());
        _cache.Origin.Returns(Entries.Final(_clock.Now));
        await _cache.RenewAsync(entry);

        Assert.Equal("miss", Assert.Single(results.GetMeasurementSnapshot()).Tags["luma_gateway.cache.status"]);
    }

    [Fact]
    public void Every_series_starts_at_zero()
    {
        using var results = _cache.Collect<long>("results");
        using var faults = _cache.Collect<long>("faults");
        using var purges = _cache.Collect<long>("purges");
        using var corrupt = _cache.Collect<long>("corrupt");

        _cache.InitializeSeries();

        Assert.All(new[] { faults, purges, corrupt }, counter => Assert.Equal(0, Assert.Single(counter.GetMeasurementSnapshot()).Value));
        Assert.Equal(
            ["collapsed memory", "collapsed none", "collapsed redis", "hit memory", "hit redis", "miss none", "stale memory"],
            results.GetMeasurementSnapshot().Select(result => $"{result.Tags["luma_gateway.cache.status"]} {result.Tags["luma_gateway.cache.tier"]}").Order());
        Assert.All(results.GetMeasurementSnapshot(), result => Assert.Equal(0, result.Value));
    }

    [Theory]
    [InlineData("results", "{result}")]
    [InlineData("faults", "{result}")]
    [InlineData("saved", "{request}")]
    [InlineData("corrupt", "{entry}")]
    [InlineData("purges", "{purge}")]
    public void Every_counter_has_a_unit_and_a_description(string name, string unit)
    {
        using var counter = _cache.Collect<long>(name);
        counter.RecordObservableInstruments();

        Assert.Equal(unit, counter.Instrument!.Unit);
        Assert.NotEqual("", counter.Instrument.Description);
    }

    [Fact]
    public void The_wait_for_the_lock_is_a_histogram_in_seconds_with_its_own_buckets()
    {
        using var waits = _cache.Collect<double>("lock.wait");

        var instrument = Assert.IsType<Histogram<double>>(waits.Instrument);
        Assert.Equal("s", instrument.Unit);
        Assert.NotEqual("", instrument.Description);
        Assert.NotEmpty(instrument.Advice!.HistogramBucketBoundaries!);
    }

    [Fact]
    public void A_status_or_tier_without_a_name_throws()
    {
        Assert.Equal("status", Assert.Throws<ArgumentOutOfRangeException>(() => CacheMetrics.NameOf((CacheStatus)99)).ParamName);
        Assert.Equal("tier", Assert.Throws<ArgumentOutOfRangeException>(() => CacheMetrics.NameOf((CacheTier)99)).ParamName);
    }

    [Fact]
    public async Task A_miss_creates_a_cache_span_with_a_fetch_span_in_it()
    {
        using var spans = new Spans();
        _cache.Origin.Returns(Entries.Final(_clock.Now));

        await spans.Within(() => _cache.ReadAsync());

        var cache = spans.Single("cache");
        Assert.Equal(("miss", "none"), (cache.GetTagItem("luma_gateway.cache.status"), cache.GetTagItem("luma_gateway.cache.tier")));
        Assert.Equal(ActivityStatusCode.Unset, cache.Status);
        Assert.Equal(cache.SpanId, spans.Single("fetch").ParentSpanId);
        Assert.Empty(cache.Links);
    }

    [Fact]
    public async Task A_hit_creates_a_cache_span()
    {
        _cache.Origin.Returns(Entries.Final(_clock.Now));
        await _cache.ReadAsync();
        using var spans = new Spans();

        await spans.Within(() => _cache.ReadAsync());

        Assert.Equal(("hit", "memory"), (spans.Single("cache").GetTagItem("luma_gateway.cache.status"), spans.Single("cache").GetTagItem("luma_gateway.cache.tier")));
    }

    [Fact]
    public async Task The_span_of_a_caller_that_joined_links_to_the_fetch_span()
    {
        using var one = new Spans();
        using var two = new Spans();
        var fetch = _cache.Origin.HoldNext(Entries.Final(_clock.Now));
        var first = one.Within(() => _cache.ReadAsync());
        var second = two.Within(() => _cache.ReadAsync());
        await fetch.ReachedAsync();
        fetch.Release();
        await first;
        await second;

        Assert.Equal(one.Single("fetch").Context, Assert.Single(two.Single("cache").Links).Context);
        Assert.Empty(one.Single("cache").Links);
        Assert.Equal("collapsed", two.Single("cache").GetTagItem("luma_gateway.cache.status"));
    }

    [Fact]
    public async Task A_fault_marks_the_span_as_an_error_unless_a_stale_entry_is_served()
    {
        using var withoutEntry = new Spans();
        _cache.Origin.Fails(Fault);
        await withoutEntry.Within(() => _cache.ReadAsync());
        _cache.Origin.Returns(Entries.Final(_clock.Now));
        await _cache.ReadAsync();
        _clock.Advance(TimeSpan.FromHours(1));
        using var withStaleEntry = new Spans();
        _cache.Origin.Fails(Fault);
        await withStaleEntry.Within(() => _cache.ReadAsync());

        Assert.Equal((ActivityStatusCode.Error, Fault.Message), (withoutEntry.Single("cache").Status, withoutEntry.Single("cache").StatusDescription));
        Assert.Equal((ActivityStatusCode.Unset, "stale"), (withStaleEntry.Single("cache").Status, withStaleEntry.Single("cache").GetTagItem("luma_gateway.cache.status")));
    }
}
