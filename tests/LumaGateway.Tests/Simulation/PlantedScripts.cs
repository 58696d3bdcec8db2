using System.Text;
using LumaGateway.Caching;
using LumaGateway.Jobs;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Tests.Redis;
using StackExchange.Redis;

namespace LumaGateway.Tests.Simulation;

/// <summary>Plants the bugs that change the commands of Redis.</summary>
internal sealed class PlantedScripts(PlantedBug bug, Func<FakeRedis> redis)
{
    public void AfterEffect(string command, string key)
    {
        if (bug is PlantedBug.ClaimIsLost && command == "add" && key.Contains(":create:", StringComparison.Ordinal))
        {
            redis().Lose(key);
        }
    }

    public void ChangeScript(string script, RedisKey[] keys, RedisValue[] values)
    {
        switch (bug, script)
        {
            case (PlantedBug.WriteIgnoresToken or PlantedBug.ListedEntryIgnoresPurge, CacheScripts.Write):
                values[0] = redis().ValueOf(keys[2]!) is { } token ? Encoding.UTF8.GetString(token) : "";
                break;
            case (PlantedBug.WriteIgnoresNewer, CacheScripts.Write):
                values[3] = 0;
                break;
            case (PlantedBug.LockIgnoresOwner, CacheScripts.Lock):
                redis().Lose(keys[3]!);
                break;
            case (PlantedBug.LockIsNotReleased, CacheScripts.Release):
                values[0] = "none";
                break;
            case (PlantedBug.LockIsNotReleased, CacheScripts.Write):
                values[8] = "none";
                break;
            case (PlantedBug.SlotsIgnoreLimit, RedisSlotStore.TakeScript):
                values[1] = int.MaxValue;
                break;
            case (PlantedBug.LeaseIsKept, RedisSlotStore.BindScript):
                values[0] = "none";
                break;
            case (PlantedBug.JobIsLost, RedisIdempotencyStore.ReplaceScript):
                values[3] = "";
                break;
            case (PlantedBug.JobNamesOtherAccount, RedisIdempotencyStore.ReplaceScript):
                values[4] = $"{values[4]}".Replace(SimulatedUpstream.AccountOf(0), "other", StringComparison.Ordinal).Replace(SimulatedUpstream.AccountOf(1), SimulatedUpstream.AccountOf(0), StringComparison.Ordinal)
                    .Replace("other", SimulatedUpstream.AccountOf(1), StringComparison.Ordinal);
                break;
            case (PlantedBug.TokenExpires, CacheScripts.Purge):
                values[1] = 1;
                break;
        }
    }
}
