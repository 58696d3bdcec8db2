using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using LumaGateway.Contracts;
using LumaGateway.Jobs;
using LumaGateway.Problems;
using LumaGateway.Tests.Caching;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace LumaGateway.Tests.Jobs;

/// <summary>The slots of accounts, and the order of the creates that wait for one. Needs nothing.</summary>
public sealed class JobSlotsTests : IDisposable
{
    private const string Account = "main";
    private const string Second = "second";

    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(1); // the clock moves on while a test waits
    private static readonly GenerationId Id = GenerationId.Parse("g1", null);

    private readonly TestClock _clock = new(new DateTimeOffset(2026, 11, 26, 12, 0, 0, TimeSpan.Zero));
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly MemorySlotStore _store;

    public JobSlotsTests() => _store = new MemorySlotStore(_clock);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _services.Dispose();

    [Fact]
    public async Task An_account_without_limits_has_no_slots()
    {
        var slots = Create(new SlotLimits(0, 0));

        Assert.Equal(default, await slots.AcquireAsync([Account], Lifetime, CancellationToken.None, Cancelled));
        Assert.Equal(default, await slots.AcquireAsync(["other"], Lifetime, CancellationToken.None, Cancelled));
    }

    [Fact]
    public async Task Creates_that_wait_get_slots_in_their_order()
    {
        var slots = Create(new SlotLimits(1, 0), queueSeconds: 36_000);
        var held = await TakeAsync(slots);
        var order = new List<int>();
        var waiting = new List<Task<JobSlot>>();
        for (var i = 0; i < 3; i++)
        {
            waiting.Add(NoteAsync(i));
        }

        foreach (var next in waiting)
        {
            await slots.ReleaseAsync(held);
            await AdvanceUntilAsync(next);
            held = await next;
        }

        Assert.Equal([0, 1, 2], order);

        async Task<JobSlot> NoteAsync(int index)
        {
            var slot = await TakeAsync(slots);
            order.Add(index);
            return slot;
        }
    }

    [Fact]
    public async Task A_create_whose_caller_disconnects_leaves_the_queue()
    {
        var slots = Create(new SlotLimits(1, 0), queueSeconds: 36_000);
        var held = await TakeAsync(slots);
        using var leaving = new CancellationTokenSource();
        var left = slots.AcquireAsync([Account], Lifetime, CancellationToken.None, leaving.Token).AsTask();
        var next = TakeAsync(slots);

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left.WithTimeout());
        await slots.ReleaseAsync(held);

        await AdvanceUntilAsync(next);
        Assert.Empty(await slots.HoldersAsync(Account));
    }

    [Fact]
    public async Task A_create_that_leaves_behind_another_one_does_not_pass_its_place_on_too_early()
    {
        var slots = Create(new SlotLimits(1, 0));
        await TakeAsync(slots);
        var first = slots.AcquireAsync([Account], Lifetime, CancellationToken.None, Cancelled).AsTask();
        using var leaving = new CancellationTokenSource();
        var second = slots.AcquireAsync([Account], Lifetime, CancellationToken.None, leaving.Token).AsTask();
        var third = slots.AcquireAsync([Account], Lifetime, CancellationToken.None, Cancelled).AsTask();

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second.WithTimeout());
        await AdvanceUntilAsync(Task.WhenAll(first, third));

        Assert.All(new[] { await first, await third }, result => Assert.NotNull(result.RetryAfter)); // both waited, neither got a slot
    }

    [Fact]
    public async Task A_create_that_waits_too_long_gets_Retry_After()
    {
        var slots = Create(new SlotLimits(1, 0));
        await TakeAsync(slots);

        var waiting = slots.AcquireAsync([Account], Lifetime, CancellationToken.None, Cancelled).AsTask();
        await AdvanceUntilAsync(waiting);

        Assert.Equal((null, TimeSpan.FromSeconds(30)), ((await waiting).Slot, (await waiting).RetryAfter));
    }

    [Fact]
    public async Task The_limit_per_minute_says_exactly_when_it_ends()
    {
        var slots = Create(new SlotLimits(0, 2));
        await TakeAsync(slots);
        _clock.Advance(TimeSpan.FromSeconds(10));
        await slots.ReleaseAsync(await TakeAsync(slots));

        var refused = await slots.AcquireAsync([Account], Lifetime, CancellationToken.None, Cancelled); // 50 s are more than the queue allows
        _clock.Advance(TimeSpan.FromSeconds(50));

        Assert.Equal(TimeSpan.FromSeconds(50), refused.RetryAfter);
        await TakeAsync(slots);
    }

    [Fact]
    public async Task A_slot_belongs_to_its_job_until_the_job_is_final_or_an_hour_has_passed()
    {
        var slots = Create(new SlotLimits(1, 0));
        await slots.BindAsync(await TakeAsync(slots), Id);

        Assert.Equal([Id], await slots.HoldersAsync(Account));
        await slots.ReleaseAsync(Account, Id);
        await slots.BindAsync(await TakeAsync(slots), Id);
        _clock.Advance(TimeSpan.FromHours(1));

        await TakeAsync(slots);
    }

    [Fact]
    public async Task The_slot_of_a_replica_that_died_during_a_create_expires()
    {
        var slots = Create(new SlotLimits(1, 0));
        await TakeAsync(slots);
        _clock.Advance(Lifetime);

        await TakeAsync(slots);
    }

    [Theory]
    [InlineData(Account)]
    [InlineData(Second)]
    public async Task A_create_of_several_accounts_takes_the_first_slot_that_becomes_free(string freed)
    {
        var slots = Create(new SlotLimits(1, 0), queueSeconds: 600);
        var held = new[] { await TakeAsync(slots), (await slots.AcquireAsync([Second], Lifetime, CancellationToken.None, Cancelled)).Slot! };
        var waiting = slots.AcquireAsync([Account, Second], Lifetime, CancellationToken.None, Cancelled).AsTask();

        Assert.Equal([Account, Second], slots.SaturatedAccounts.Order()); // the jobs of both are polled
        await slots.ReleaseAsync(held.Single(slot => slot.Account == freed));
        var later = await slots.TryAcquireAsync(Second, Lifetime);
        await AdvanceUntilAsync(waiting);

        Assert.Equal(freed, (await waiting).Slot?.Account);
        Assert.Equal(TimeSpan.Zero, later.RetryAfter); // it does not pass the create that waits
        Assert.Empty(slots.SaturatedAccounts);
    }

    [Fact]
    public async Task A_create_of_several_accounts_is_told_when_the_first_of_them_has_a_slot()
    {
        var slots = Create(new SlotLimits(0, 1));
        await TakeAsync(slots);
        _clock.Advance(TimeSpan.FromSeconds(10));
        await slots.AcquireAsync([Second], Lifetime, CancellationToken.None, Cancelled);

        var refused = await slots.AcquireAsync([Second, Account], Lifetime, CancellationToken.None, Cancelled);

        Assert.Equal(TimeSpan.FromSeconds(50), refused.RetryAfter);
    }

    [Fact]
    public async Task An_account_is_saturated_for_a_minute_after_a_create_that_found_no_slot()
    {
        var slots = Create(new SlotLimits(1, 0), queueSeconds: 0);
        await TakeAsync(slots);
        await TakeAsync(slots, Second);
        Assert.Empty(slots.SaturatedAccounts);

        Assert.NotNull((await slots.AcquireAsync([Account], Lifetime, CancellationToken.None, Cancelled)).RetryAfter);
        _clock.Advance(TimeSpan.FromSeconds(30));
        Assert.NotNull((await slots.TryAcquireAsync(Second, Lifetime)).RetryAfter); // a create that moves from another account

        _clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal([Account, Second], slots.SaturatedAccounts.Order());
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal([Second], slots.SaturatedAccounts);
        _clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Empty(slots.SaturatedAccounts);
    }

    [Fact]
    public async Task An_account_is_saturated_after_a_create_that_left()
    {
        var slots = Create(new SlotLimits(1, 0));
        await TakeAsync(slots);
        using var leaving = new CancellationTokenSource();
        var left = slots.AcquireAsync([Account], Lifetime, CancellationToken.None, leaving.Token).AsTask();

        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left.WithTimeout());
        Assert.Equal([Account], slots.SaturatedAccounts);
    }

    /// <summary>Polls do not end this limit.</summary>
    [Fact]
    public async Task The_limit_per_minute_does_not_saturate_an_account()
    {
        var slots = Create(new SlotLimits(0, 1), queueSeconds: 0);
        await TakeAsync(slots);

        Assert.NotNull((await slots.AcquireAsync([Account], Lifetime, CancellationToken.None, Cancelled)).RetryAfter);
        Assert.NotNull((await slots.TryAcquireAsync(Account, Lifetime)).RetryAfter);

        Assert.Empty(slots.SaturatedAccounts);
    }

    [Fact]
    public async Task Creates_pass_if_the_store_fails()
    {
        var slots = Create(new SlotLimits(1, 0), new FailingStore());

        Assert.Equal(default, await slots.AcquireAsync([Account], Lifetime, CancellationToken.None, Cancelled));
        await slots.ReleaseAsync(Account, Id);
        Assert.Empty(await slots.HoldersAsync(Account));
    }

    [Fact]
    public async Task Creates_do_not_wait_one_after_another_for_a_store_that_does_not_respond()
    {
        var store = new SilentStore();
        var slots = Create(new SlotLimits(1, 0), store);
        var creates = Enumerable.Range(0, 4).Select(_ => slots.AcquireAsync([Account], Lifetime, CancellationToken.None, Cancelled).AsTask()).ToList();
        Assert.Equal(1, store.Attempts);

        store.Fail();

        await Eventually.TrueAsync(() => store.Attempts == creates.Count); // the others try at once, not one after another
        store.Fail();
        Assert.All(await Task.WhenAll(creates).WithTimeout(), static result => Assert.Equal(default, result));
    }

    [Fact]
    public async Task A_slot_whose_response_is_lost_is_released()
    {
        var slots = Create(new SlotLimits(1, 0), new ResponseIsLostStore(_store));

        Assert.Equal(default, await slots.AcquireAsync([Account], Lifetime, CancellationToken.None, Cancelled));
        Assert.Equal(default, await slots.TryAcquireAsync(Account, Lifetime));

        await TakeAsync(Create(new SlotLimits(1, 0)));
    }

    private static async Task<JobSlot> TakeAsync(JobSlots slots, string account = Account) => (await slots.AcquireAsync([account], Lifetime, CancellationToken.None, Cancelled)).Slot!;

    /// <summary>Moves the clock in small steps, so that every waiting create can try.</summary>
    private async Task AdvanceUntilAsync(Task task)
    {
        await Eventually.TrueAsync(() =>
        {
            _clock.Advance(TimeSpan.FromMilliseconds(200));
            return task.IsCompleted;
        });
        await task;
    }

    private JobSlots Create(SlotLimits limits, ISlotStore? store = null, int queueSeconds = 30)
    {
        var all = new JobLimits(new Dictionary<string, SlotLimits> { [Account] = limits, [Second] = limits });
        return new(
            store ?? _store,
            all,
            Options.Create(new JobsOptions { QueueTimeout = TimeSpan.FromSeconds(queueSeconds) }),
            new JobMetrics(_services.GetRequiredService<IMeterFactory>(), all),
            _clock);
    }

    /// <summary>Takes slots, but the response is lost.</summary>
    private sealed class ResponseIsLostStore(MemorySlotStore store) : ISlotStore
    {
        public async Task<TimeSpan?> TryTakeAsync(string account, string lease, SlotLimits limits, TimeSpan lifetime)
        {
            await store.TryTakeAsync(account, lease, limits, lifetime);
            throw new LedgerUnavailableException();
        }

        public Task BindAsync(string account, string lease, GenerationId id, TimeSpan lifetime) => store.BindAsync(account, lease, id, lifetime);

        public Task ReleaseAsync(string account, string holder) => store.ReleaseAsync(account, holder);

        public Task<IReadOnlyList<GenerationId>> HoldersAsync(string account) => store.HoldersAsync(account);
    }

    /// <summary>Does not respond until the attempts so far fail.</summary>
    private sealed class SilentStore : ISlotStore
    {
        private readonly ConcurrentQueue<TaskCompletionSource<TimeSpan?>> _pending = new();
        private int _attempts;

        public int Attempts => Volatile.Read(ref _attempts);

        public void Fail()
        {
            while (_pending.TryDequeue(out var attempt))
            {
                attempt.SetException(new LedgerUnavailableException());
            }
        }

        public Task<TimeSpan?> TryTakeAsync(string account, string lease, SlotLimits limits, TimeSpan lifetime)
        {
            var attempt = new TaskCompletionSource<TimeSpan?>(TaskCreationOptions.RunContinuationsAsynchronously);
            _pending.Enqueue(attempt);
            Interlocked.Increment(ref _attempts);
            return attempt.Task;
        }

        public Task BindAsync(string account, string lease, GenerationId id, TimeSpan lifetime) => Task.CompletedTask;

        public Task ReleaseAsync(string account, string holder) => Task.CompletedTask;

        public Task<IReadOnlyList<GenerationId>> HoldersAsync(string account) => Task.FromResult<IReadOnlyList<GenerationId>>([]);
    }

    private sealed class FailingStore : ISlotStore
    {
        public Task<TimeSpan?> TryTakeAsync(string account, string lease, SlotLimits limits, TimeSpan lifetime) => Task.FromException<TimeSpan?>(new LedgerUnavailableException());

        public Task BindAsync(string account, string lease, GenerationId id, TimeSpan lifetime) => Task.FromException(new LedgerUnavailableException());

        public Task ReleaseAsync(string account, string holder) => Task.FromException(new LedgerUnavailableException());

        public Task<IReadOnlyList<GenerationId>> HoldersAsync(string account) => Task.FromException<IReadOnlyList<GenerationId>>(new LedgerUnavailableException());
    }
}
