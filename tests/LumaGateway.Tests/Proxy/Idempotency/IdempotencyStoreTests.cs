using LumaGateway.Proxy.Idempotency;
using LumaGateway.Tests.Caching;
using LumaGateway.Tests.Jobs;
using LumaGateway.Tests.Redis;
using StackExchange.Redis;

namespace LumaGateway.Tests.Proxy.Idempotency;

/// <summary>Both stores of idempotency records. Redis is a fake. Needs nothing.</summary>
public sealed class IdempotencyStoreTests
{
    private const string Client = "client";

    private const int MemoryLimit = 16 * 1024 * 1024; // one client's share

    /// <summary>The bytes that a record with a key of one character takes in addition to its value.</summary>
    private const int Overhead = 302;

    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);
    private static readonly TimeSpan RedisTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);
    private static readonly byte[] First = [1];
    private static readonly byte[] Second = [2];

    private readonly WaitingClock _clock = new();
    private readonly FakeRedis _redis;

    public IdempotencyStoreTests() => _redis = new FakeRedis(_clock);

    public static TheoryData<bool> Stores => [false, true];

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task The_first_record_is_added_and_later_calls_return_it(bool isRedis)
    {
        var store = Create(isRedis);

        Assert.Null(await store.TryAddAsync(Client, "a", First, Lifetime).WithTimeout());
        Assert.Equal(First, await store.TryAddAsync(Client, "a", Second, Lifetime).WithTimeout());
        Assert.Null(await store.TryAddAsync(Client, "A", Second, Lifetime).WithTimeout());
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_record_expires_after_its_lifetime(bool isRedis)
    {
        var store = Create(isRedis);
        await store.TryAddAsync(Client, "a", First, Lifetime).WithTimeout();

        _clock.Advance(Lifetime - Tick);
        Assert.Equal(First, await store.TryAddAsync(Client, "a", Second, Lifetime).WithTimeout());
        _clock.Advance(Tick);
        Assert.Null(await store.TryAddAsync(Client, "a", Second, Lifetime).WithTimeout());
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_record_is_replaced_only_if_it_equals_the_expected_record(bool isRedis)
    {
        var store = Create(isRedis);
        await store.TryAddAsync(Client, "a", First, Lifetime).WithTimeout();

        Assert.False(await store.ReplaceAsync("a", Second, Second, Lifetime).WithTimeout());
        Assert.False(await store.ReplaceAsync("b", First, Second, Lifetime).WithTimeout());
        Assert.Equal(First, await store.TryAddAsync(Client, "a", Second, Lifetime).WithTimeout());
        Assert.True(await store.ReplaceAsync("a", First, Second, Lifetime).WithTimeout());
        Assert.Equal(Second, await store.TryAddAsync(Client, "a", First, Lifetime).WithTimeout());
        Assert.Null(await store.TryAddAsync(Client, "b", First, Lifetime).WithTimeout());
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_replacement_restarts_the_lifetime(bool isRedis)
    {
        var store = Create(isRedis);
        await store.TryAddAsync(Client, "a", First, Lifetime).WithTimeout();
        _clock.Advance(Lifetime / 2);
        await store.ReplaceAsync("a", First, Second, Lifetime).WithTimeout();

        _clock.Advance(Lifetime - Tick);
        Assert.Equal(Second, await store.TryAddAsync(Client, "a", First, Lifetime).WithTimeout());
        _clock.Advance(Tick);
        Assert.Null(await store.TryAddAsync(Client, "a", First, Lifetime).WithTimeout());
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_record_is_removed_only_if_it_equals_the_expected_record(bool isRedis)
    {
        var store = Create(isRedis);
        await store.TryAddAsync(Client, "a", First, Lifetime).WithTimeout();

        await store.RemoveAsync("a", Second).WithTimeout();
        await store.RemoveAsync("b", First).WithTimeout();
        Assert.Equal(First, await store.TryAddAsync(Client, "a", Second, Lifetime).WithTimeout());
        await store.RemoveAsync("a", First).WithTimeout();
        Assert.Null(await store.TryAddAsync(Client, "a", Second, Lifetime).WithTimeout());
    }

    [Fact]
    public async Task A_full_memory_store_rejects_new_records_and_evicts_none()
    {
        var store = Create(isRedis: false);
        var full = new byte[MemoryLimit - Overhead];
        Assert.Null(await store.TryAddAsync(Client, "a", full, Lifetime));

        Assert.NotEqual("", (await Assert.ThrowsAnyAsync<IdempotencyStoreUnavailableException>(() => store.TryAddAsync(Client, "b", [], Lifetime))).Message);
        Assert.Same(full, await store.TryAddAsync(Client, "a", [], Lifetime));
        _clock.Advance(Lifetime);
        Assert.Null(await store.TryAddAsync(Client, "b", [], Lifetime));
    }

    [Fact]
    public async Task The_memory_store_names_the_limit_that_is_reached()
    {
        var store = Create(isRedis: false);
        foreach (var client in (string[])["a", "b", "c", "d"])
        {
            Assert.Null(await store.TryAddAsync(client, client, new byte[MemoryLimit - Overhead], Lifetime));
        }

        var share = await Assert.ThrowsAnyAsync<IdempotencyStoreUnavailableException>(() => store.TryAddAsync("a", "e", [], Lifetime));
        var all = await Assert.ThrowsAnyAsync<IdempotencyStoreUnavailableException>(() => store.TryAddAsync("e", "e", [], Lifetime));

        Assert.StartsWith("This client's share of the memory for idempotency records (16 MiB) is full", share.Message, StringComparison.Ordinal);
        Assert.StartsWith("The memory for idempotency records (64 MiB) is full", all.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_memory_store_rejects_a_record_larger_than_the_limit()
    {
        var store = Create(isRedis: false);

        await Assert.ThrowsAnyAsync<IdempotencyStoreUnavailableException>(() => store.TryAddAsync(Client, "a", new byte[MemoryLimit - Overhead + 1], Lifetime));
        await Assert.ThrowsAnyAsync<IdempotencyStoreUnavailableException>(() => store.TryAddAsync(Client, "aa", new byte[MemoryLimit - Overhead - 1], Lifetime)); // the key counts too
        Assert.Null(await store.TryAddAsync(Client, "a", new byte[MemoryLimit - Overhead], Lifetime));
    }

    [Fact]
    public async Task A_removal_or_replacement_frees_memory()
    {
        var store = Create(isRedis: false);
        var full = new byte[MemoryLimit - Overhead];
        await store.TryAddAsync(Client, "a", full, Lifetime);
        await store.RemoveAsync("a", full);
        Assert.Null(await store.TryAddAsync(Client, "a", full, Lifetime));

        await store.ReplaceAsync("a", full, First, Lifetime);
        Assert.Null(await store.TryAddAsync(Client, "b", new byte[MemoryLimit - (2 * Overhead) - 1], Lifetime)); // exactly the free bytes
        await Assert.ThrowsAnyAsync<IdempotencyStoreUnavailableException>(() => store.TryAddAsync(Client, "c", [], Lifetime));
    }

    [Fact]
    public async Task The_expiration_of_a_removed_record_does_not_remove_a_later_record()
    {
        var store = Create(isRedis: false);
        await store.TryAddAsync(Client, "a", First, Lifetime);
        await store.RemoveAsync("a", First);
        await store.TryAddAsync(Client, "a", Second, Lifetime * 2);

        _clock.Advance(Lifetime);

        Assert.Equal(Second, await store.TryAddAsync(Client, "a", First, Lifetime));
    }

    [Fact]
    public async Task Records_expire_in_the_order_of_their_expirations()
    {
        var store = Create(isRedis: false);
        await store.TryAddAsync(Client, "long", First, Lifetime * 2);
        await store.TryAddAsync(Client, "short", First, Lifetime);

        _clock.Advance(Lifetime);

        Assert.Null(await store.TryAddAsync(Client, "short", Second, Lifetime));
        Assert.Equal(First, await store.TryAddAsync(Client, "long", Second, Lifetime));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task An_error_of_Redis_makes_the_store_unavailable(int kind)
    {
        var store = Create(isRedis: true);
        Exception exception = kind switch { 0 => FakeRedis.ConnectionLost(), 1 => new TimeoutException(), 2 => new RedisCommandException("The database does not exist on the server: 20"), _ => new ObjectDisposedException("connection") };
        using var failing = _redis.Fail(exception: exception);

        var thrown = await Assert.ThrowsAsync<IdempotencyStoreUnavailableException>(() => store.TryAddAsync(Client, "a", First, Lifetime));
        Assert.Same(exception, thrown.InnerException);
        Assert.NotEqual("", thrown.Message);
        await Assert.ThrowsAsync<IdempotencyStoreUnavailableException>(() => store.ReplaceAsync("a", First, Second, Lifetime));
        await Assert.ThrowsAsync<IdempotencyStoreUnavailableException>(() => store.RemoveAsync("a", First));
    }

    [Fact]
    public async Task An_unexpected_exception_is_not_caught()
    {
        var store = Create(isRedis: true);
        using var failing = _redis.Fail(exception: new InvalidOperationException("a bug"));

        await Assert.ThrowsAsync<InvalidOperationException>(() => store.TryAddAsync(Client, "a", First, Lifetime));
    }

    [Fact]
    public async Task The_store_is_unavailable_if_Redis_does_not_respond_within_two_seconds()
    {
        var store = Create(isRedis: true);
        await store.TryAddAsync(Client, "warm", First, Lifetime).WithTimeout();
        using var silent = _redis.Silence();
        var replacing = store.ReplaceAsync("a", First, Second, Lifetime);

        await _clock.WaitedForAsync(RedisTimeout);
        _clock.Advance(RedisTimeout - Tick);
        Assert.False(replacing.IsCompleted);
        _clock.Advance(Tick);

        await Assert.ThrowsAsync<IdempotencyStoreUnavailableException>(() => replacing.WithTimeout());
    }

    [Fact]
    public async Task The_store_is_unavailable_if_connecting_takes_longer_than_two_seconds()
    {
        var connecting = new TaskCompletionSource<IConnectionMultiplexer>();
        var store = CreateOn(() => connecting.Task);

        var adding = store.TryAddAsync(Client, "a", First, Lifetime);
        await Assert.ThrowsAsync<IdempotencyStoreUnavailableException>(() => _clock.PassUntilAsync(adding, RedisTimeout));

        connecting.SetResult(_redis.Connect());
    }

    private IIdempotencyStore Create(bool isRedis) => isRedis ? CreateOn(() => Task.FromResult(_redis.Connect())) : new MemoryIdempotencyStore(Ledgers.InMemory(_clock), _clock);

    private RedisIdempotencyStore CreateOn(Func<Task<IConnectionMultiplexer>> connect) => new(
        Ledgers.Database(connect, _clock), Signers.None, Ledgers.Options);
}
