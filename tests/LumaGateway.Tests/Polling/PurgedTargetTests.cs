using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Polling;
using LumaGateway.Tests.Caching;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Polling;

/// <summary>The states that waiting callers get after a purge. Needs nothing.</summary>
[Collection(RunsAlone.Name)]
public sealed class PurgedTargetTests : IDisposable
{
    private static readonly GenerationId Id = Entries.Key;
    private static readonly GenerationId OtherId = GenerationId.Parse("g2", null);

    private readonly Gateway _gateway = new Gateway().With("Luma:Deadline", "00:00:10");
    private readonly PollTargets _targets;
    private readonly PollTarget _target;

    public PurgedTargetTests()
    {
        _targets = _gateway.Services.GetRequiredService<PollTargets>();
        _target = _targets.AddWaiter(Id, new Waiter(null, WaiterKind.LongPoll, TimeSpan.Zero, TimeSpan.MaxValue));
    }

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task A_poll_that_a_purge_overlaps_gives_waiters_no_state()
    {
        var entry = NewEntry();
        await PurgeAsync();

        _targets.Update(entry);

        Assert.Null(_target.Snapshot);
    }

    [Fact]
    public async Task A_caller_that_waits_after_a_purge_gets_no_state_from_before_it()
    {
        var entry = NewEntry();
        await PurgeAsync(OtherId);
        var target = _targets.AddWaiter(OtherId, new Waiter(null, WaiterKind.LongPoll, TimeSpan.Zero, TimeSpan.MaxValue));

        _targets.Update(NewEntry(OtherId, entry.RequestedAt));

        Assert.Null(target.Snapshot);
    }

    [Fact]
    public async Task A_state_from_before_a_purge_is_forgotten()
    {
        _targets.Update(NewEntry());
        await PurgeAsync();

        Assert.Null(_target.Snapshot);
        Assert.False(_target.IsWaitOver);
    }

    [Fact]
    public async Task A_state_that_was_requested_after_a_purge_counts()
    {
        await PurgeAsync();

        _targets.Update(NewEntry());

        Assert.True(_target.IsTerminal);
    }

    [Fact]
    public async Task A_state_from_before_a_purge_does_not_remove_the_one_from_after_it()
    {
        var late = NewEntry();
        await PurgeAsync();
        _targets.Update(NewEntry());

        _targets.Update(late);

        Assert.True(_target.IsTerminal);
    }

    [Fact]
    public async Task After_the_deadline_of_a_fetch_a_state_counts_whatever_its_time()
    {
        var entry = NewEntry(); // of a replica whose clock is behind
        await PurgeAsync();
        _gateway.Clock.Advance(TimeSpan.FromSeconds(10));

        _targets.Update(entry);

        Assert.True(_target.IsTerminal);
    }

    private Task<bool> PurgeAsync(GenerationId? id = null)
    {
        _gateway.Clock.Advance(TimeSpan.FromMilliseconds(1));
        return _gateway.Services.GetRequiredService<ResponseCache>().PurgeAsync(id ?? Id);
    }

    private CacheEntry NewEntry(GenerationId? id = null, DateTimeOffset? at = null) =>
        Entries.Final(at ?? _gateway.Clock.GetUtcNow(), $$"""{"id":"{{id ?? Id}}","state":"completed"}""", key: id);
}
