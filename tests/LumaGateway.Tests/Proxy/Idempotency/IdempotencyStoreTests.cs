using LumaGateway.Proxy.Idempotency;
using LumaGateway.Redis;
using LumaGateway.Tests.Caching;
using LumaGateway.Tests.Redis;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace LumaGateway.Tests.Proxy.Idempotency;

/// <summary>Records that must be neither lost nor doubled, in memory and in Redis, which is a fake. Needs nothing.</summary>
public sealed class IdempotencyStoreTests
{
    private const string Owner = "client";

    private const int MemoryLimit = 16 * 1024 * 1024; // one owner's share

    /// <summary>What a record with a name of one character takes beside its bytes.</summary>
    private const int Overhead = 302;

    private static readonly TimeSpan Life = TimeSpan.FromHours(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);
    private static readonly byte[] First = [1];
    private static readonly byte[] Second = [2];

    private readonly WaitingClock _clock = new();
    private readonly FakeRedis _redis;

    public IdempotencyStoreTests() => _redis = new FakeRedis(_clock);

    public static TheoryData<bool> Stores => [false, true];

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task Who_comes_first_adds_the_record_and_who_comes_later_gets_it(bool isRedis)
    {
        var store = Create(isRedis);

        Assert.Null(await store.TryAddAsync(Owner, "a", First, Life).Soon());
        Assert.Equal(First, await store.TryAddAsync(Owner, "a", Second, Life).Soon());
        Assert.Null(await store.TryAddAsync(Owner, "A", Second, Life).Soon());
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_record_lives_for_its_life_and_no_longer(bool isRedis)
    {
        var store = Create(isRedis);
        await store.TryAddAsync(Owner, "a", First, Life).Soon();

        _clock.Advance(Life - Tick);
        Assert.Equal(First, await store.TryAddAsync(Owner, "a", Second, Life).Soon());
        _clock.Advance(Tick);
        Assert.Null(await store.TryAddAsync(Owner, "a", Second, Life).Soon());
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_record_is_replaced_by_who_knows_it_and_by_nobody_else(bool isRedis)
    {
        var store = Create(isRedis);
        await store.TryAddAsync(Owner, "a", First, Life).Soon();

        Assert.False(await store.ReplaceAsync("a", Second, Second, Life).Soon());
        Assert.False(await store.ReplaceAsync("b", First, Second, Life).Soon());
        Assert.Equal(First, await store.TryAddAsync(Owner, "a", Second, Life).Soon());
        Assert.True(await store.ReplaceAsync("a", First, Second, Life).Soon());
        Assert.Equal(Second, await store.TryAddAsync(Owner, "a", First, Life).Soon());
        Assert.Null(await store.TryAddAsync(Owner, "b", First, Life).Soon());
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_record_that_is_replaced_begins_its_life_anew(bool isRedis)
    {
        var store = Create(isRedis);
        await store.TryAddAsync(Owner, "a", First, Life).Soon();
        _clock.Advance(Life / 2);
        await store.ReplaceAsync("a", First, Second, Life).Soon();

        _clock.Advance(Life - Tick);
        Assert.Equal(Second, await store.TryAddAsync(Owner, "a", First, Life).Soon());
        _clock.Advance(Tick);
        Assert.Null(await store.TryAddAsync(Owner, "a", First, Life).Soon());
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_record_is_removed_by_who_knows_it_and_by_nobody_else(bool isRedis)
    {
        var store = Create(isRedis);
        await store.TryAddAsync(Owner, "a", First, Life).Soon();

        await store.RemoveAsync("a", Second).Soon();
        await store.RemoveAsync("b", First).Soon();
        Assert.Equal(First, await store.TryAddAsync(Owner, "a", Second, Life).Soon());
        await store.RemoveAsync("a", First).Soon();
        Assert.Null(await store.TryAddAsync(Owner, "a", Second, Life).Soon());
    }

    [Fact]
    public async Task Memory_takes_records_up_to_its_limit_and_forgets_none_for_another()
    {
        var store = Create(isRedis: false);
        var full = new byte[MemoryLimit - Overhead];
        Assert.Null(await store.TryAddAsync(Owner, "a", full, Life));

        Assert.NotEqual("", (await Assert.ThrowsAnyAsync<IdempotencyStoreUnavailableException>(() => store.TryAddAsync(Owner, "b", [], Life))).Message);
        Assert.Same(full, await store.TryAddAsync(Owner, "a", [], Life));
        _clock.Advance(Life);
        Assert.Null(await store.TryAddAsync(Owner, "b", [], Life));
    }

    [Fact]
    public async Task Memory_says_whether_all_of_it_is_full_or_one_owners_share()
    {
        var store = Create(isRedis: false);
        foreach (var owner in (string[])["a", "b", "c", "d"])
        {
            Assert.Null(await store.TryAddAsync(owner, owner, new byte[MemoryLimit - Overhead], Life));
        }

        var share = await Assert.ThrowsAnyAsync<IdempotencyStoreUnavailableException>(() => store.TryAddAsync("a", "e", [], Life));
        var all = await Assert.ThrowsAnyAsync<IdempotencyStoreUnavailableException>(() => store.TryAddAsync("e", "e", [], Life));

        Assert.StartsWith("This client's share of the memory for idempotency records (16 MiB) is full", share.Message, StringComparison.Ordinal);
        Assert.StartsWith("The memory for idempotency records (64 MiB) is full", all.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Memory_takes_no_record_that_is_larger_than_its_limit()
    {
        var store = Create(isRedis: false);

        await Assert.ThrowsAnyAsync<IdempotencyStoreUnavailableException>(() => store.TryAddAsync(Owner, "a", new byte[MemoryLimit - Overhead + 1], Life));
        await Assert.ThrowsAnyAsync<IdempotencyStoreUnavailableException>(() => store.TryAddAsync(Owner, "aa", new byte[MemoryLimit - Overhead - 1], Life)); // the name counts
        Assert.Null(await store.TryAddAsync(Owner, "a", new byte[MemoryLimit - Overhead], Life));
    }

    [Fact]
    public async Task A_record_that_is_removed_or_replaced_makes_room_in_memory()
    {
        var store = Create(isRedis: false);
        var full = new byte[MemoryLimit - Overhead];
        await store.TryAddAsync(Owner, "a", full, Life);
        await store.RemoveAsync("a", full);
        Assert.Null(await store.TryAddAsync(Owner, "a", full, Life));

        await store.ReplaceAsync("a", full, First, Life);
        Assert.Null(await store.TryAddAsync(Owner, "b", new byte[MemoryLimit - (2 * Overhead) - 1], Life)); // exactly what is left
        await Assert.ThrowsAnyAsync<IdempotencyStoreUnavailableException>(() => store.TryAddAsync(Owner, "c", [], Life));
    }

    [Fact]
    public async Task The_end_of_a_record_that_was_removed_does_not_end_the_one_that_came_after_it()
    {
        var store = Create(isRedis: false);
        await store.TryAddAsync(Owner, "a", First, Life);
        await store.RemoveAsync("a", First);
        await store.TryAddAsync(Owner, "a", Second, Life * 2);

        _clock.Advance(Life);

        Assert.Equal(Second, await store.TryAddAsync(Owner, "a", First, Life));
    }

    [Fact]
    public async Task Records_end_in_the_order_of_their_ends()
    {
        var store = Create(isRedis: false);
        await store.TryAddAsync(Owner, "long", First, Life * 2);
        await store.TryAddAsync(Owner, "short", First, Life);

        _clock.Advance(Life);

        Assert.Null(await store.TryAddAsync(Owner, "short", Second, Life));
        Assert.Equal(First, await store.TryAddAsync(Owner, "long", Second, Life));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_Redis_that_fails_is_a_store_that_is_away(int kind)
    {
        var store = Create(isRedis: true);
        Exception exception = kind switch { 0 => FakeRedis.Gone(), 1 => new TimeoutException(), _ => new ObjectDisposedException("connection") };
        using var failing = _redis.Fail(exception: exception);

        var thrown = await Assert.ThrowsAsync<IdempotencyStoreUnavailableException>(() => store.TryAddAsync(Owner, "a", First, Life));
        Assert.Same(exception, thrown.InnerException);
        Assert.NotEqual("", thrown.Message);
        await Assert.ThrowsAsync<IdempotencyStoreUnavailableException>(() => store.ReplaceAsync("a", First, Second, Life));
        await Assert.ThrowsAsync<IdempotencyStoreUnavailableException>(() => store.RemoveAsync("a", First));
    }

    [Fact]
    public async Task A_fault_of_the_program_is_not_hidden()
    {
        var store = Create(isRedis: true);
        using var failing = _redis.Fail(exception: new InvalidOperationException("a bug"));

        await Assert.ThrowsAsync<InvalidOperationException>(() => store.TryAddAsync(Owner, "a", First, Life));
    }

    [Fact]
    public async Task A_Redis_that_hangs_is_away_after_two_seconds()
    {
        var store = Create(isRedis: true);
        await store.TryAddAsync(Owner, "warm", First, Life).Soon();
        using var silent = _redis.Silence();
        var replacing = store.ReplaceAsync("a", First, Second, Life);

        await _clock.WaitedForAsync(Patience);
        _clock.Advance(Patience - Tick);
        Assert.False(replacing.IsCompleted);
        _clock.Advance(Tick);

        await Assert.ThrowsAsync<IdempotencyStoreUnavailableException>(() => replacing.Soon());
    }

    [Fact]
    public async Task A_connection_that_does_not_come_about_is_away_after_two_seconds()
    {
        var connecting = new TaskCompletionSource<IConnectionMultiplexer>();
        var store = CreateOn(() => connecting.Task);

        var adding = store.TryAddAsync(Owner, "a", First, Life);
        await Assert.ThrowsAsync<IdempotencyStoreUnavailableException>(() => _clock.PassUntilAsync(adding, Patience));

        connecting.SetResult(_redis.Connect());
    }

    [Fact]
    public async Task A_record_that_was_added_without_our_hearing_of_it_is_taken_back()
    {
        var store = Create(isRedis: true);
        using (_redis.Fail("add", replyOnly: true))
        {
            await Assert.ThrowsAsync<IdempotencyStoreUnavailableException>(() => store.TryAddAsync(Owner, "a", First, Life));
        }

        await Eventually.TrueAsync(() => _redis.Count("remove") == 1);
        Assert.Null(await store.TryAddAsync(Owner, "a", Second, Life).Soon());
    }

    [Fact]
    public async Task Another_ones_record_is_not_taken_back()
    {
        var store = Create(isRedis: true);
        await store.TryAddAsync(Owner, "a", First, Life).Soon();
        using (_redis.Fail("get"))
        {
            await Assert.ThrowsAsync<IdempotencyStoreUnavailableException>(() => store.TryAddAsync(Owner, "a", Second, Life));
        }

        await Eventually.TrueAsync(() => _redis.Count("remove") == 1);
        Assert.Equal(First, await store.TryAddAsync(Owner, "a", Second, Life).Soon());
    }

    [Fact]
    public async Task A_record_that_ends_between_the_two_questions_makes_room_for_ours()
    {
        var store = Create(isRedis: true);
        await store.TryAddAsync(Owner, "a", First, Life).Soon();
        var question = _redis.Hold("get", "a");
        var adding = store.TryAddAsync(Owner, "a", Second, Life);
        await question.ReachedAsync();

        _redis.Lose("a");
        question.Release();

        Assert.Null(await adding.Soon());
        Assert.Equal(Second, await store.TryAddAsync(Owner, "a", First, Life).Soon());
    }

    private IIdempotencyStore Create(bool isRedis) => isRedis ? CreateOn(() => Task.FromResult(_redis.Connect())) : new MemoryIdempotencyStore(_clock);

    private RedisIdempotencyStore CreateOn(Func<Task<IConnectionMultiplexer>> connect) => new(
        new RedisConnection(Options.Create(new RedisOptions { Redis = "redis.test" }), NullLogger<RedisConnection>.Instance) { Connect = _ => connect() },
        Signers.None,
        _clock);
}
