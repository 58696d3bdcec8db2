using System.Net.Http.Json;
using System.Text.Json;

namespace LumaGateway.SystemTests.Redis;

/// <summary>Whether replicas use Redis, according to their health.</summary>
internal static class RedisUse
{
    public static async Task<bool> IsUsedAsync(GatewayProcess replica)
    {
        var health = await replica.Client.GetFromJsonAsync<JsonElement>(new Uri("/health/ready", UriKind.Relative), TestContext.Current.CancellationToken);
        return health.GetProperty("checks").GetProperty("redis").GetString() is "healthy";
    }

    /// <summary>Waits until all replicas use Redis: a replica starts without it if it does not respond within a second.</summary>
    public static async Task<ReplicaGroup> WaitUntilUsedAsync(ReplicaGroup group)
    {
        foreach (var replica in group.Replicas)
        {
            await Wait.UntilAsync(() => IsUsedAsync(replica), () => $"Redis is not used.\n{replica.Log}");
        }

        return group;
    }
}
