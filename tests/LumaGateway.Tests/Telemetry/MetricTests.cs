using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Telemetry;

public sealed class MetricTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task Cache_results_are_counted_by_status_and_tier_and_saved_requests_are_counted()
    {
        _gateway.Upstream.ThenJson(Samples.Failed("g1"));
        using var results = _gateway.Collect<long>("luma_gateway.cache.results");
        using var saved = _gateway.Collect<long>("luma_gateway.cache.saved");
        using var requests = _gateway.Collect<long>("luma_gateway.upstream.requests");
        using var caller = _gateway.CreateCaller();

        for (var i = 0; i < 3; i++)
        {
            using var response = await caller.SendGetAsync("/generations/g1");
        }

        Assert.Equal(
            [("miss", "none"), ("hit", "memory"), ("hit", "memory")],
            results.GetMeasurementSnapshot().Select(one => ((string)one.Tags["luma_gateway.cache.status"]!, (string)one.Tags["luma_gateway.cache.tier"]!)));
        saved.RecordObservableInstruments();
        Assert.Equal(2, saved.LastMeasurement!.Value);
        Assert.Equal(1, requests.GetMeasurementSnapshot().Sum(one => one.Value));
    }

    [Fact]
    public async Task Generations_are_counted_by_state_and_unknown_states_separately()
    {
        _gateway.Upstream.ThenJson(Samples.Failed("g1")).ThenJson(Samples.Interim("g2", "hibernating"));
        using var generations = _gateway.Collect<long>("luma_gateway.upstream.generations");
        using var unknown = _gateway.Collect<long>("luma_gateway.upstream.unknown_states");
        using var caller = _gateway.CreateCaller();

        using var first = await caller.SendGetAsync("/generations/g1");
        using var second = await caller.SendGetAsync("/generations/g2");

        Assert.Equal(["failed", "processing"], generations.GetMeasurementSnapshot().Select(one => (string)one.Tags["luma_gateway.generation.state"]!));
        Assert.Equal(1, unknown.GetMeasurementSnapshot().Sum(one => one.Value));
    }

    [Fact]
    public async Task Clients_are_counted_by_name_and_refusals_by_reason()
    {
        _gateway.Upstream.AlwaysJson(Samples.Failed("g1"));
        using var admitted = _gateway.Collect<long>("luma_gateway.access.admitted");
        using var refused = _gateway.Collect<long>("luma_gateway.access.refused");
        using var caller = _gateway.CreateCaller();
        using var anonymous = _gateway.CreateCallerWithoutKey();

        using var read = await caller.SendGetAsync("/generations/g1");
        using var unknown = await anonymous.SendGetAsync("/generations/g1");

        Assert.Equal(["tests"], admitted.GetMeasurementSnapshot().Select(one => (string)one.Tags["luma_gateway.client.name"]!));
        Assert.Equal(
            [("unknown", "no_credential")],
            refused.GetMeasurementSnapshot().Select(one => ((string)one.Tags["luma_gateway.client.name"]!, (string)one.Tags["luma_gateway.access.reason"]!)));
    }

    [Fact]
    public async Task A_refused_account_is_logged_once_and_counted_each_time_and_a_gauge_shows_it_until_it_recovers()
    {
        _gateway.Upstream.ThenJson("{}", System.Net.HttpStatusCode.Unauthorized).ThenJson("{}", System.Net.HttpStatusCode.PaymentRequired).ThenJson(Samples.Failed("g3"));
        using var faults = _gateway.Collect<long>("luma_gateway.upstream.faults");
        using var state = _gateway.Collect<int>("luma_gateway.upstream.account_refused");
        using var caller = _gateway.CreateCaller();

        for (var i = 1; i <= 3; i++)
        {
            using var response = await caller.SendGetAsync($"/generations/g{i}");
            state.RecordObservableInstruments();
        }

        Assert.Equal(["token_refused", "out_of_credit"], faults.GetMeasurementSnapshot().Select(one => (string)one.Tags["error.type"]!));
        Assert.Equal([1, 1, 0], state.GetMeasurementSnapshot().Select(one => one.Value));
        Assert.Equal([3021, 3022], _gateway.Logs.GetSnapshot().Select(line => line.Id.Id).Where(id => id is 3021 or 3022));
    }

    [Fact]
    public void Every_value_of_an_enum_attribute_has_a_unique_name()
    {
        HasNames<LumaGateway.Problems.UpstreamFault>(LumaGateway.Upstreams.UpstreamMetrics.NameOf);
        HasNames<LumaGateway.Contracts.GenerationState>(LumaGateway.Upstreams.UpstreamMetrics.NameOf);
        HasNames<LumaGateway.Problems.RefusalReason>(LumaGateway.Access.AccessMetrics.NameOf);
        HasNames<LumaGateway.Caching.CacheStatus>(LumaGateway.Caching.CacheMetrics.NameOf);
        HasNames<LumaGateway.Caching.CacheTier>(LumaGateway.Caching.CacheMetrics.NameOf);

        static void HasNames<T>(Func<T, string> nameOf)
            where T : struct, Enum
        {
            var names = Enum.GetValues<T>().Select(nameOf).ToList();
            Assert.All(names, name => Assert.Matches("^[a-z_]+$", name));
            Assert.Equal(names.Count, names.Distinct().Count());
        }
    }
}
