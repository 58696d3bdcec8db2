using System.Text;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Polling;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Polling;

/// <summary>A state that arrives after a newer one, as a message of a slow Redis does. Needs nothing.</summary>
[Collection(RunsAlone.Name)]
public sealed class OutdatedStateTests : IDisposable
{
    private static readonly GenerationId Id = GenerationId.Parse("g1", null);

    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public void An_outdated_state_does_not_make_the_next_poll_sooner()
    {
        var targets = _gateway.Services.GetRequiredService<PollTargets>();
        var target = targets.AddWaiter(Id, new Waiter(null, WaiterKind.LongPoll, TimeSpan.Zero, TimeSpan.MaxValue));
        var outdated = NewEntry();
        _gateway.Clock.Advance(TimeSpan.FromSeconds(10));
        targets.Update(NewEntry());
        var dueAt = target.DueAt;

        targets.UpdateFromReplica(outdated);

        Assert.InRange(target.DueAt - dueAt, TimeSpan.FromSeconds(-1), TimeSpan.FromSeconds(1)); // the jitter
    }

    [Fact]
    public async Task An_outdated_state_removes_no_newer_one_from_memory()
    {
        var cache = _gateway.Services.GetRequiredService<ResponseCache>();
        var outdated = NewEntry();
        _gateway.Clock.Advance(TimeSpan.FromSeconds(10));
        var entry = NewEntry();
        await cache.PutAsync(entry, cache.Purges);

        cache.RemoveInterim(outdated);
        Assert.Same(entry, cache.TryGetFresh(Id, _gateway.Clock.GetUtcNow()));

        _gateway.Clock.Advance(TimeSpan.FromMilliseconds(1));
        cache.RemoveInterim(NewEntry());
        Assert.Null(cache.TryGetFresh(Id, _gateway.Clock.GetUtcNow()));
    }

    private CacheEntry NewEntry()
    {
        var now = _gateway.Clock.GetUtcNow();
        return new CacheEntry(Id, EntryKind.Interim, Encoding.UTF8.GetBytes("""{"id":"g1","state":"processing"}"""), now, now.AddSeconds(2), now.AddSeconds(2));
    }
}
