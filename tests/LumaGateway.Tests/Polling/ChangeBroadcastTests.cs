using System.Globalization;
using System.Net;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.LongPolling;
using LumaGateway.Polling;
using LumaGateway.Redis;
using LumaGateway.Tests.Caching;
using LumaGateway.Tests.LongPolling;
using LumaGateway.Tests.Redis;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace LumaGateway.Tests.Polling;

/// <summary>States that another replica sends. Redis is a fake. Needs nothing.</summary>
[Collection(RunsAlone.Name)]
public sealed class ChangeBroadcastTests : IDisposable
{
    private static readonly GenerationId Id = GenerationId.Parse("g1", null);

    private readonly Gateway _gateway = new Gateway()
        .With("ConnectionStrings:Redis", "redis.test").With("Luma:Name", "tests").With("Waiting:PollEvery", "00:00:30").With("Waiting:PollSlowest", "00:00:30");

    private readonly FakeRedis _redis;

    public ChangeBroadcastTests()
    {
        _redis = new FakeRedis(_gateway.Clock);
        _gateway.With(services =>
        {
            services.AddSingleton<IDistributedCache>(_redis);
            services.AddSingleton(provider => new RedisConnection(provider.GetRequiredService<IOptions<RedisOptions>>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<RedisConnection>>())
            {
                Connect = _ => Task.FromResult(_redis.Connect()),
            });
        });
        _gateway.Upstream.AlwaysJson(Samples.Interim(Id.Value));
    }

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task A_final_state_of_another_replica_ends_waits_once_this_replica_can_serve_it()
    {
        using var caller = _gateway.CreateCaller();
        using var events = await Events.OpenAsync(caller, $"/generations/{Id}/events");
        Assert.Equal("processing", (await _gateway.Clock.UntilAsync(events.NextAsync()))!.State);
        var step = _redis.Hold("get", ":final");
        var next = events.NextAsync();

        await PublishAsync("completed");
        await step.ReachedAsync();
        await _gateway.Clock.WaitUntilIdleAsync();
        Assert.False(next.IsCompleted);

        step.Release();
        Assert.Equal("completed", (await _gateway.Clock.UntilAsync(next))!.State);
        Assert.True(_gateway.Services.GetRequiredService<ResponseCache>().HasFreshFinal(Id));
    }

    [Fact]
    public async Task A_state_from_before_a_purge_is_not_sent_to_waiters()
    {
        using var caller = _gateway.CreateCaller();
        using var events = await Events.OpenAsync(caller, $"/generations/{Id}/events");
        Assert.Equal("processing", (await _gateway.Clock.UntilAsync(events.NextAsync()))!.State);
        await _gateway.Clock.UntilAsync(_gateway.Services.GetRequiredService<ResponseCache>().PurgeAsync(Id));

        await PublishAsync("completed");
        await _gateway.Clock.WaitUntilIdleAsync();

        Assert.False(_gateway.Services.GetRequiredService<ResponseCache>().HasFreshFinal(Id));
        Assert.False(_gateway.Services.GetRequiredService<PollTargets>().Find(Id)!.IsTerminal);
    }

    [Fact]
    public async Task A_final_state_from_before_a_purge_is_not_stored_while_Redis_does_not_respond()
    {
        using var caller = _gateway.CreateCaller();
        using var events = await Events.OpenAsync(caller, $"/generations/{Id}/events");
        Assert.Equal("processing", (await _gateway.Clock.UntilAsync(events.NextAsync()))!.State);
        var cache = _gateway.Services.GetRequiredService<ResponseCache>();
        var before = _gateway.Clock.GetUtcNow();
        _gateway.Clock.Advance(TimeSpan.FromMilliseconds(1));
        await _gateway.Clock.UntilAsync(cache.PurgeAsync(Id));
        using var _ = _redis.Fail("get");

        await PublishAsync("completed", before);
        await _gateway.Clock.WaitUntilIdleAsync();
        Assert.False(cache.HasFreshFinal(Id));

        _gateway.Clock.Advance(TimeSpan.FromSeconds(3));
        await PublishAsync("completed");
        await _gateway.Clock.UntilAsync(() => cache.HasFreshFinal(Id));
    }

    [Theory]
    [InlineData("00:00:20", "-00:00:00.001")]
    [InlineData("00:00:05", "00:00:01")]
    public async Task A_final_state_that_may_be_from_before_a_purge_is_not_stored_while_Redis_does_not_respond(string sentAfter, string requestedAfter)
    {
        using var caller = _gateway.CreateCaller();
        using var events = await Events.OpenAsync(caller, $"/generations/{Id}/events");
        Assert.Equal("processing", (await _gateway.Clock.UntilAsync(events.NextAsync()))!.State);
        var cache = _gateway.Services.GetRequiredService<ResponseCache>();
        await _gateway.Clock.UntilAsync(cache.PurgeAsync(Id));
        var purgedAt = _gateway.Clock.GetUtcNow();
        _gateway.Clock.Advance(TimeSpan.Parse(sentAfter, CultureInfo.InvariantCulture)); // the sender had the state in memory, or its clock is a little ahead
        using var _ = _redis.Fail("get");

        await PublishAsync("completed", purgedAt + TimeSpan.Parse(requestedAfter, CultureInfo.InvariantCulture));
        await _gateway.Clock.WaitUntilIdleAsync();

        Assert.False(cache.HasFreshFinal(Id));
        Assert.False(_gateway.Services.GetRequiredService<PollTargets>().Find(Id)!.IsTerminal);
    }

    [Fact]
    public async Task A_not_found_state_does_not_end_waits_if_memory_has_a_final_one_that_was_requested_later()
    {
        var memoryLifetime = TimeSpan.FromSeconds(5);
        _gateway.With("Cache:MemoryLifetime", $"{memoryLifetime}");
        using var caller = _gateway.CreateCaller();
        var cache = _gateway.Services.GetRequiredService<ResponseCache>();
        var outdated = Entries.NotFound(_gateway.Clock.GetUtcNow(), Id);
        _gateway.Clock.Advance(TimeSpan.FromMilliseconds(1));
        await _gateway.Clock.UntilAsync(cache.PutAsync(NewFinal("completed"), cache.Purges));
        _redis.Lose(":final");
        _gateway.Clock.Advance(memoryLifetime); // the entry in memory must be verified
        var step = _redis.Hold("add", ":lock");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/generations/{Id}") { Headers = { { "Prefer", "wait=30" } } };
        var waiting = caller.SendAsync(request, TestContext.Current.CancellationToken);
        await step.ReachedAsync();

        await PublishAsync(outdated);
        await _gateway.Clock.WaitUntilIdleAsync();
        step.Release();

        using var response = await _gateway.Clock.UntilAsync(waiting);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task A_new_waiter_gets_no_not_found_state_if_memory_has_a_final_one_that_was_requested_later()
    {
        var memoryLifetime = TimeSpan.FromSeconds(5);
        _gateway.With("Cache:MemoryLifetime", $"{memoryLifetime}");
        var (targets, cache) = (_gateway.Services.GetRequiredService<PollTargets>(), _gateway.Services.GetRequiredService<ResponseCache>());
        var snapshots = _gateway.Services.GetRequiredService<FirstSnapshotReader>();
        var target = targets.AddWaiter(Id, new Waiter(null, WaiterKind.LongPoll, TimeSpan.Zero, TimeSpan.MaxValue));
        targets.UpdateFromReplica(Entries.NotFound(_gateway.Clock.GetUtcNow(), Id));
        Assert.NotNull(snapshots.FindRecent(target, Id));

        _gateway.Clock.Advance(TimeSpan.FromMilliseconds(1));
        await _gateway.Clock.UntilAsync(cache.PutAsync(NewFinal("completed"), cache.Purges));
        _redis.Lose(":final");
        _gateway.Clock.Advance(memoryLifetime); // the entry in memory must be verified

        Assert.Null(snapshots.FindRecent(target, Id));
    }

    [Theory]
    [InlineData("/generations/g1")]
    [InlineData("/generations/g1/events")]
    public async Task A_new_waiter_gets_no_not_found_state_that_is_no_longer_fresh(string path)
    {
        _gateway.Upstream.AlwaysJson("{}", HttpStatusCode.NotFound);
        using var caller = _gateway.CreateCaller();
        using var before = await _gateway.Clock.UntilAsync(caller.SendGetAsync($"/generations/{Id}"));
        Assert.Equal(HttpStatusCode.NotFound, before.StatusCode);
        _gateway.Upstream.AlwaysJson(Samples.CompletedAs(Id.Value));
        _gateway.Clock.Advance(TimeSpan.FromSeconds(3));
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "Prefer", "wait=10" } } };

        using var response = await _gateway.Clock.UntilAsync(caller.SendAsync(request, TestContext.Current.CancellationToken));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task A_new_waiter_gets_no_old_not_found_state_of_the_waiters_before_it()
    {
        var (targets, snapshots) = (_gateway.Services.GetRequiredService<PollTargets>(), _gateway.Services.GetRequiredService<FirstSnapshotReader>());
        var target = targets.AddWaiter(Id, new Waiter(null, WaiterKind.Stream, TimeSpan.Zero, TimeSpan.MaxValue));
        targets.Update(Entries.NotFound(_gateway.Clock.GetUtcNow(), Id));
        Assert.NotNull(snapshots.FindRecent(target, Id));

        _gateway.Clock.Advance(TimeSpan.FromSeconds(3));

        Assert.Null(snapshots.FindRecent(target, Id));
        await _gateway.Clock.WaitUntilIdleAsync();
    }

    [Fact]
    public async Task A_state_that_another_replica_requested_after_a_not_found_one_replaces_it()
    {
        var targets = _gateway.Services.GetRequiredService<PollTargets>();
        using var caller = _gateway.CreateCaller();
        using var ready = await caller.SendGetAsync("/health/ready"); // the messages are subscribed to
        var target = targets.AddWaiter(Id, new Waiter(null, WaiterKind.LongPoll, TimeSpan.Zero, TimeSpan.MaxValue));
        targets.Update(Entries.NotFound(_gateway.Clock.GetUtcNow(), Id));
        Assert.True(target.IsTerminal);
        _gateway.Clock.Advance(TimeSpan.FromMilliseconds(1));

        await PublishAsync(Entries.Interim(_gateway.Clock.GetUtcNow(), """{"id":"g1","state":"processing"}"""));
        await _gateway.Clock.WaitUntilIdleAsync();

        Assert.False(target.IsTerminal);
    }

    [Fact]
    public async Task A_purge_is_announced_before_it_is_counted()
    {
        var cache = _gateway.Services.GetRequiredService<ResponseCache>();
        var (before, counted) = (cache.Purges, default(long?));
        cache.Purged += _ => counted ??= cache.Purges;

        await _gateway.Clock.UntilAsync(cache.PurgeAsync(Id));

        // A state that is checked against the announced purges, and stored if no further one was counted, is never from before one.
        Assert.Equal(before, counted);
        Assert.True(cache.Purges > before);
    }

    [Fact]
    public async Task At_most_100_hints_a_second_are_sent_for_ids_without_waiters()
    {
        using var caller = _gateway.CreateCaller();
        var changes = _gateway.Services.GetRequiredService<ChangeBroadcast>();
        using var ready = await caller.SendGetAsync("/health/ready");
        var before = _redis.Count("publish");

        for (var i = 0; i < 300; i++)
        {
            Assert.False(changes.TryHint(GenerationId.Parse($"other-{i}", null)));
        }

        await _gateway.Clock.UntilAsync(() => _redis.Count("publish") - before >= 100);
        await _gateway.Clock.WaitUntilIdleAsync();
        Assert.Equal(100, _redis.Count("publish") - before);
    }

    private Task<long> PublishAsync(string state, DateTimeOffset? requestedAt = null) => PublishAsync(NewFinal(state, requestedAt));

    private Task<long> PublishAsync(CacheEntry entry)
    {
        var keyspace = _gateway.Services.GetRequiredService<RedisKeyspace>();
        return _redis.Connect().GetSubscriber().PublishAsync(RedisChannel.Literal(keyspace.Prefix + "replicas"), $"changed g1 {Convert.ToBase64String(CacheEntryFormat.Write(entry))}");
    }

    private CacheEntry NewFinal(string state, DateTimeOffset? requestedAt = null)
    {
        var now = requestedAt ?? _gateway.Clock.GetUtcNow();
        var body = System.Text.Encoding.UTF8.GetBytes($$"""{"id":"g1","state":"{{state}}"}""");
        return new CacheEntry(Id, EntryKind.Final, body, now, now.AddHours(1), now.AddHours(2));
    }
}
