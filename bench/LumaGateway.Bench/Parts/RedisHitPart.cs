using LumaGateway.Bench.Baselines;
using LumaGateway.Bench.Load;
using LumaGateway.Bench.Machine;
using StackExchange.Redis;
using Order = LumaGateway.Bench.Load.Order;

namespace LumaGateway.Bench.Parts;

/// <summary>A hit in Redis beside a raw GET through the same client library.</summary>
internal sealed class RedisHitPart : IPart
{
    private const string Path = "/generations/redis-@id";
    private const int Answers = 20_000;
    private const int MemoryBytes = 64 * 1024; // the least that can be set: some 60 of the answers

    public string Name => "redis";

    public string Title => "A hit in Redis";

    public async Task<string> RunAsync(Lab lab)
    {
        var redis = await lab.RedisAsync();
        var endpoint = redis.Address.Authority;
        var gateway = await lab.GatewayAsync(new GatewaySettings { Redis = endpoint, MemoryBytes = MemoryBytes });
        await Wrk.FillAsync(gateway, Path, 1, Answers);
        await FillAsync(endpoint, lab.Slim);
        var contest = new Contest(
            lab,
            [
                new Contender("gateway", gateway, Asking, AsksUpstream: false),
                new Contender("raw GET", await lab.BaselineAsync(Baseline.Redis, endpoint), Asking, AsksUpstream: false, lab.Slim.Length),
            ]);

        await contest.RunAsync();

        return $"""
            {Answers:#,0} answers asked for in turn, of which memory can hold some sixty: every hit is Redis's. The gateway looks at three names in one round
            trip (final, interim, purge mark) and checks what it finds; the other gets one string and sends it.

            {contest.Ratios(("gateway", "raw GET"))}
            {contest.Rates()}
            """;
    }

    private static Asking Asking() => new(Path, Order.Cycle, 1, Answers);

    private static async Task FillAsync(string endpoint, byte[] body)
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync(endpoint);
        var writes = Enumerable.Range(1, Answers).Select(number => redis.GetDatabase().StringSetAsync($"redis-{number}", body));
        await Task.WhenAll(writes);
    }
}
