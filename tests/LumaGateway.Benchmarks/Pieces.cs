using System.Security.Cryptography;
using System.Text;
using LumaGateway.Access;
using LumaGateway.Caching;
using LumaGateway.Generations;
using LumaGateway.Redis;
using LumaGateway.Time;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Benchmarks;

/// <summary>Layers of the gateway, wired as it wires them, without the server around.</summary>
internal static class Pieces
{
    public static readonly CacheKey Key = new("4665a07c-7641-4809-a133-10786201bb56");

    /// <summary>An upstream that is never asked.</summary>
    public static readonly Origin Nobody = new((_, _, _) => throw new InvalidOperationException("A hit asks nobody."), TimeSpan.FromSeconds(1));

    public static ServiceProvider Build(int clients = 1)
    {
        var settings = Enumerable.Range(0, clients).SelectMany(index => new Dictionary<string, string?>
        {
            [$"Access:Clients:{index}:Name"] = $"client-{index}",
            [$"Access:Clients:{index}:KeySha256"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(KeyOf(index)))),
        });
        return new ServiceCollection()
            .AddLogging()
            .AddMetrics()
            .AddSingleton(TimeProvider.System)
            .AddSingleton<MonotonicClock>()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build())
            .AddSingleton(new RedisKeyspace("bench", "relay", "1"))
            .AddSingleton(GenerationFreshness.LimitsOf(new FreshnessOptions()))
            .AddAccess()
            .AddRedis()
            .AddResponseCache()
            .BuildServiceProvider();
    }

    /// <summary>As long as the keys that <c>key new</c> makes.</summary>
    public static string KeyOf(int client) => $"lgk_{client:D43}";

    /// <summary>What the cache holds of the relay's documented answer; fresh for a day.</summary>
    public static CacheEntry Entry()
    {
        var body = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "fixtures/relay/completed.expected.json"));
        var now = TimeProvider.System.GetUtcNow();
        return new CacheEntry(Key, EntryKind.Final, body, now, now.AddDays(1), now.AddDays(8));
    }
}
