using LumaGateway.Caching;
using LumaGateway.Contracts;

namespace LumaGateway.SystemTests.Redis;

/// <summary>The number of Redis commands and round trips of a read. Needs redis-server.</summary>
public sealed class RoundTripTests : IAsyncLifetime
{
    private static readonly GenerationId Key = GenerationId.Parse("subject", null);

    private RedisServer _redis = null!;
    private RoundTripProxy _proxy = null!;

    public async ValueTask InitializeAsync()
    {
        RedisServer.Require();
        _redis = await RedisServer.StartAsync([]);
        _proxy = new RoundTripProxy(_redis.Port);
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Theory]
    [InlineData((int)EntryKind.Final)]
    [InlineData((int)EntryKind.Interim)]
    public async Task A_cold_miss_takes_two_round_trips(int kind)
    {
        await using var replica = await StartWarmAsync();

        await replica.ReadAsync(Key, (EntryKind)kind, "body");

        Assert.Equal(2, _proxy.Take());
        Assert.Equal(["evalsha 2"], await CommandsAsync());
        Assert.Empty(await _redis.KeysAsync("*:lock"));
    }

    [Fact]
    public async Task A_hit_in_Redis_takes_one_command()
    {
        await using var writer = await StartWarmAsync();
        await writer.ReadAsync(Key, EntryKind.Final, "body");
        await using var reader = await StartWarmAsync();

        Assert.Equal("body", await reader.ReadAsync(Key, EntryKind.Final, "fetched again"));

        Assert.Equal(1, _proxy.Take());
        Assert.Equal(["evalsha 1"], await CommandsAsync());
    }

    /// <summary>A replica whose connections and scripts are ready.</summary>
    private async Task<CacheReplica> StartWarmAsync()
    {
        var replica = await CacheReplica.StartAsync(_proxy.Endpoint);
        await replica.ReadAsync(GenerationId.Parse($"warm-up-{Guid.NewGuid():N}", null), EntryKind.Final, "");
        await _redis.ExecuteAsync("CONFIG", "RESETSTAT");
        _proxy.Take();
        return replica;
    }

    /// <summary>The commands that clients send to read and write; the commands inside scripts have other names.</summary>
    private async Task<List<string>> CommandsAsync()
    {
        var text = (string)(await _redis.ExecuteAsync("INFO", "commandstats"))!;
        return [.. text.Split('\n')
            .Select(line => line.Trim())
            .Where(line => line.StartsWith("cmdstat_", StringComparison.Ordinal))
            .Select(line => (Name: line["cmdstat_".Length..line.IndexOf(':', StringComparison.Ordinal)], Calls: line.Split("calls=")[1].Split(',')[0]))
            .Where(command => command.Name is "hmget" or "eval" or "evalsha" or "script|load" or "multi" or "exec" or "watch" or "publish")
            .Select(command => $"{command.Name} {command.Calls}")
            .Order()];
    }
}
