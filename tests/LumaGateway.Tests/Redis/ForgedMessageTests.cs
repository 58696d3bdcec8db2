using System.Globalization;
using System.Text;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Polling;
using LumaGateway.Redis;
using LumaGateway.Tests.Caching;
using LumaGateway.Tests.Support;
using LumaGateway.Time;
using LumaGateway.Upstreams;
using StackExchange.Redis;

namespace LumaGateway.Tests.Redis;

/// <summary>The effects of messages that no replica wrote, with and without a signing key. Redis is a fake. Needs nothing.</summary>
public sealed class ForgedMessageTests : IAsyncLifetime
{
    private const string Channel = "luma-gateway:1:account:dialect:replicas";

    private readonly WaitingClock _clock = new();
    private readonly FakeRedis _redis;
    private readonly List<CacheUnderTest> _replicas = [];

    public ForgedMessageTests() => _redis = new FakeRedis(_clock);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var replica in _replicas)
        {
            await replica.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("1000", 1000)]
    [InlineData("300000", 300_000)]
    [InlineData("300001", 300_000)]
    [InlineData("3600000", 300_000)]
    [InlineData("9223372036854775807", 300_000)]
    public async Task A_pause_is_limited_to_the_longest_Retry_After(string milliseconds, int expected)
    {
        var pause = await SubscribeToPausesAsync(await StartAsync());

        await PublishAsync($"pause {milliseconds}");

        Assert.Equal(TimeSpan.FromMilliseconds(expected), pause.Remaining);
    }

    [Theory]
    [InlineData("pause")]
    [InlineData("pause ")]
    [InlineData("pause -1")]
    [InlineData("pause 1 2")]
    [InlineData("pause 9223372036854775808")]
    [InlineData("pause 00:05:00")]
    [InlineData("purge")]
    [InlineData("purge video")]
    [InlineData("purge g1 g2")]
    [InlineData("purge ../g1")]
    [InlineData("changed")]
    [InlineData("changed g/1")]
    [InlineData("changed g1 !")]
    [InlineData("changed g1 AAAA")]
    [InlineData("no-topic g1")]
    [InlineData("")]
    [InlineData(" ")]
    public async Task A_malformed_message_is_dropped_and_counted_and_the_next_one_is_delivered(string message)
    {
        var replica = await StartAsync();
        var pause = await SubscribeToPausesAsync(replica);
        var received = SubscribeToPolling(replica);
        using var rejected = replica.CollectRejected();
        var purges = replica.Cache.Purges;

        await PublishAsync(message);

        Assert.Equal(("malformed", 1), Assert.Single(rejected.GetMeasurementSnapshot().Select(one => ((string)one.Tags["luma_gateway.redis.reason"]!, (int)one.Value))));
        Assert.Empty(received);
        Assert.Equal((TimeSpan.Zero, purges), (pause.Remaining, replica.Cache.Purges));
        await PublishAsync("purge g1");
        Assert.Equal(purges + 1, replica.Cache.Purges);
    }

    [Fact]
    public async Task A_message_with_too_many_bytes_or_words_is_dropped_and_counted()
    {
        var replica = await StartAsync();
        var received = SubscribeToPolling(replica);
        using var rejected = replica.CollectRejected();
        await PublishAsync("changed g1");
        Assert.Equal(["hint"], received);

        await PublishAsync("changed g1 " + new string('x', 10) + " y");
        await PublishAsync("purge " + new string(' ', 100_000));
        await PublishAsync($"changed g1 {new string('A', 4 * 1024 * 1024)}");

        Assert.Equal(["hint"], received);
        Assert.Equal(["oversized", "oversized", "oversized"], Reasons(rejected));
    }

    [Fact]
    public async Task A_handler_that_throws_does_not_stop_the_next_message()
    {
        var replica = await StartAsync();
        var received = 0;
        replica.Bus.Subscribe("fragile", words => words is ["break"] ? throw new InvalidOperationException("a bug") : ++received > 0);
        using var rejected = replica.CollectRejected();

        await PublishAsync("fragile break");
        await PublishAsync("fragile hold");

        Assert.Equal(1, received);
        Assert.Equal(["malformed"], Reasons(rejected));
    }

    [Fact]
    public async Task The_freshness_of_a_changed_state_is_limited_by_the_settings()
    {
        var received = new List<CacheEntry>();
        var replica = await StartAsync();
        new ChangeMessages(replica.Bus, CacheUnderTest.Limits, _clock).Received += (_, entry) => received.Add(entry!);
        var forged = Entries.Final(_clock.Now, freshFor: TimeSpan.FromDays(3650), staleFor: TimeSpan.FromDays(3650));

        await PublishAsync($"changed g1 {Convert.ToBase64String(CacheEntryFormat.Write(forged))}");

        var limits = CacheUnderTest.Limits;
        Assert.Equal((_clock.Now + limits.Final, _clock.Now + limits.Final + limits.Stale), Assert.Single(received.Select(entry => (entry.FreshUntil, entry.StaleUntil))));
    }

    [Theory]
    [InlineData("pause 300000")]
    [InlineData("purge g1")]
    [InlineData("changed g1")]
    [InlineData("changed")]
    public async Task With_a_signing_key_a_message_that_does_not_verify_is_dropped_and_counted(string message)
    {
        var replica = await StartAsync(Signers.Key);
        var pause = await SubscribeToPausesAsync(replica);
        var received = SubscribeToPolling(replica);
        using var rejected = replica.CollectRejected();
        var purges = replica.Cache.Purges;
        message = message is "changed" ? $"changed g1 {Convert.ToBase64String(CacheEntryFormat.Write(Entries.Final(_clock.Now)))}" : message;

        await PublishAsync(message);
        await PublishAsync($"{_clock.Now.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture)} {message}");
        await PublishAsync(Signed(message, Signers.NewKey));

        Assert.Empty(received);
        Assert.Equal((TimeSpan.Zero, purges), (pause.Remaining, replica.Cache.Purges));
        Assert.Equal(["unauthenticated", "unauthenticated", "unauthenticated"], Reasons(rejected));

        await PublishAsync(Signed(message, Signers.Key));
        Assert.Equal(3, rejected.GetMeasurementSnapshot().Count);
        Assert.Equal(1, received.Count + (pause.Remaining > TimeSpan.Zero ? 1 : 0) + (int)(replica.Cache.Purges - purges));
    }

    [Theory]
    [InlineData(60, true)]
    [InlineData(61, false)]
    [InlineData(-60, true)]
    [InlineData(-61, false)]
    public async Task A_signed_message_older_than_a_minute_is_dropped(int seconds, bool isAccepted)
    {
        var replica = await StartAsync(Signers.Key);
        using var rejected = replica.CollectRejected();
        var purges = replica.Cache.Purges;

        await PublishAsync(Signed("purge g1", Signers.Key, _clock.Now.AddSeconds(-seconds)));

        Assert.Equal(isAccepted ? purges + 1 : purges, replica.Cache.Purges);
        Assert.Equal(isAccepted ? [] : ["expired"], Reasons(rejected));
    }

    [Fact]
    public async Task A_signed_message_of_another_account_is_dropped()
    {
        var replica = await StartAsync(Signers.Key);
        var purges = replica.Cache.Purges;

        await PublishAsync(Signed("purge g1", Signers.Key, channel: Channel.Replace("account", "other", StringComparison.Ordinal)));

        Assert.Equal(purges, replica.Cache.Purges);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData(Signers.Key, Signers.Key)]
    [InlineData(Signers.Key, $"{Signers.Key},{Signers.NewKey}")]
    [InlineData($"{Signers.Key},{Signers.NewKey}", $"{Signers.NewKey},{Signers.Key}")]
    [InlineData($"{Signers.NewKey},{Signers.Key}", Signers.NewKey)]
    public async Task Replicas_receive_each_others_messages_at_every_step_of_a_key_rotation(string one, string other)
    {
        var (first, second) = (await StartAsync(one), await StartAsync(other));
        using var rejected = second.CollectRejected();
        var (firstPurges, secondPurges) = (first.Cache.Purges, second.Cache.Purges);

        await first.Cache.PurgeAsync(GenerationId.Parse("g1", null)).WithTimeout();

        Assert.Equal(secondPurges + 1, second.Cache.Purges);
        Assert.Equal(firstPurges + 2, first.Cache.Purges); // includes its own message
        Assert.Empty(Reasons(rejected));
    }

    [Fact]
    public async Task A_replica_without_the_key_drops_signed_messages()
    {
        var replica = await StartAsync();
        using var rejected = replica.CollectRejected();
        var purges = replica.Cache.Purges;

        await PublishAsync(Signed("purge g1", Signers.Key));

        Assert.Equal(purges, replica.Cache.Purges);
        Assert.Equal(["malformed"], Reasons(rejected));
    }

    private static IEnumerable<string> Reasons(Microsoft.Extensions.Diagnostics.Metrics.Testing.MetricCollector<long> rejected) =>
        rejected.GetMeasurementSnapshot().Select(one => (string)one.Tags["luma_gateway.redis.reason"]!);

    private byte[] Signed(string message, string key, DateTimeOffset? at = null, string channel = Channel) => Signers.Of(key).Sign(
        SignedKind.Message,
        channel,
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{(at ?? _clock.Now).ToUnixTimeMilliseconds()} {message}")));

    private async Task<CacheUnderTest> StartAsync(string keys = "")
    {
        var replica = await CacheUnderTest.StartAsync(_clock, _redis, ("Cache:SigningKey", keys));
        _replicas.Add(replica);
        return replica;
    }

    private Task<long> PublishAsync(RedisValue message) => _redis.Connect().GetSubscriber().PublishAsync(RedisChannel.Literal(Channel), message).WithTimeout();

    private async Task<RetryAfterHold> SubscribeToPausesAsync(CacheUnderTest replica)
    {
        var accounts = TestAccounts.Create(new MonotonicClock(_clock), null, TestAccounts.Named("a"), TestAccounts.Named("b"));
        await new RetryAfterBroadcast(accounts, replica.Bus).StartAsync(TestContext.Current.CancellationToken).WithTimeout();
        return accounts.First.Hold;
    }

    /// <summary>Records the changes and hints that are received.</summary>
    private List<string> SubscribeToPolling(CacheUnderTest replica)
    {
        var received = new List<string>();
        new ChangeMessages(replica.Bus, CacheUnderTest.Limits, _clock).Received += (_, entry) => received.Add(entry is null ? "hint" : "changed");
        return received;
    }
}
