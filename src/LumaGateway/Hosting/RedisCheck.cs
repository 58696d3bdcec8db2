using LumaGateway.Caching;
using StackExchange.Redis;

namespace LumaGateway.Hosting;

/// <summary>Connects, and does every kind of step once: reads, and takes and gives back a lock, which writes.</summary>
internal sealed class RedisCheck(RedisTier shared, TimeProvider clock) : IConnectionCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public string Name => "redis";

    public async Task<(Verdict Verdict, string Says)> TryAsync()
    {
        if (!shared.IsConfigured)
        {
            return (Verdict.NotConfigured, "ConnectionStrings:Redis is not set: answers are kept in memory alone.");
        }

        try
        {
            await shared.WarmUpAsync().WaitAsync(Patience, clock);
            return (Verdict.Good, "It answers at ConnectionStrings:Redis, can be read and written.");
        }
        catch (RedisServerException refusal)
        {
            // The first word is the kind of error; what follows may be anything.
            return (Verdict.Bad, $"It answers at ConnectionStrings:Redis, but refuses: {refusal.Message.Split(' ')[0]}.");
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            return (Verdict.Bad, "It cannot be used at ConnectionStrings:Redis: nobody is there, or user, password or TLS are wrong.");
        }
    }
}
