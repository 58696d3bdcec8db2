using System.Diagnostics.CodeAnalysis;
using System.Net;
using LumaGateway.Tests.Redis;
using StackExchange.Redis;

namespace LumaGateway.Tests.Simulation;

/// <summary>
/// The network between the replicas and Redis. Each connection keeps the order of its commands and of its replies. Within a fault's time, commands are lost, replies are
/// lost, or writes are refused.
/// </summary>
[SuppressMessage("Security", "CA5394", Justification = "A seed repeats the choices.")]
internal sealed class SimulatedNetwork(SimulationScheduler scheduler, SimulatedProcess world) : FakeRedis.INetwork
{
    private readonly Dictionary<SimulatedProcess, (TimeSpan Command, TimeSpan Reply)> _last = [];
    private readonly List<(SimulationContext Client, EventHandler<ConnectionFailedEventArgs> Handler, bool IsLost)> _handlers = [];

    public NetworkFault Fault { get; set; }

    /// <summary>The clients whose connection is slow, with its order kept.</summary>
    public HashSet<SimulatedProcess> SlowClients { get; } = [];

    public bool LosesMessages { get; set; }

    /// <summary>Called after the effect of a command; a planted bug uses it.</summary>
    public Action<string, string> AfterEffect { get; set; } = (_, _) => { };

    public Task<T> RunAsync<T>(string command, string key, Func<T> effect)
    {
        var client = scheduler.Current().Process;
        var completion = new TaskCompletionSource<T>();
        var (lastCommand, lastReply) = _last.GetValueOrDefault(client);
        var arrival = Later(scheduler.Now + Latency(client), lastCommand);
        _last[client] = (arrival, lastReply);
        scheduler.At(world, arrival, Arrive);
        return completion.Task;

        void Arrive()
        {
            var part = key[(key.LastIndexOf(':') + 1)..];
            if (part.Length > 8)
            {
                part = part[..8];
            }

            if (Fault is NetworkFault.Down || (Fault is NetworkFault.ReadOnly && command is not ("get" or "ping" or "subscribe" or "publish")))
            {
                scheduler.Write($"{client.Name} {command} {part} fails");
                Reply(() => completion.SetException(Fault is NetworkFault.Down ? FakeRedis.ConnectionLost() : new RedisServerException(RedisErrorKind.UnknownError, CommandFlags.None, "READONLY")));
                return;
            }

            var isLost = Fault is NetworkFault.RepliesLost;
            var result = effect();
            AfterEffect(command, key);
            scheduler.Write($"{client.Name} {command} {part}{(isLost ? ", reply lost" : "")}");
            Reply(() => Complete(result, isLost));
        }

        void Reply(Action complete)
        {
            var at = Later(scheduler.Now + Latency(client), _last[client].Reply);
            _last[client] = (_last[client].Command, at);
            scheduler.At(world, at, complete);
        }

        void Complete(T result, bool isLost)
        {
            if (!isLost)
            {
                completion.SetResult(result);
            }
            else if (scheduler.Random.Next(2) == 0)
            {
                completion.SetException(FakeRedis.ConnectionLost());
            }
        }
    }

    public Action<RedisChannel, RedisValue> Subscriber(Action<RedisChannel, RedisValue> handler)
    {
        var client = scheduler.Current();
        return (channel, message) =>
        {
            if (!LosesMessages)
            {
                scheduler.At(client.Process, scheduler.Now + Latency(client.Process), () => handler(channel, message));
            }
        };
    }

    public void AddConnectionHandler(EventHandler<ConnectionFailedEventArgs> handler, bool isLost) => _handlers.Add((scheduler.Current(), handler, isLost));

    /// <summary>Tells the clients that the connection of their subscriptions was lost or restored.</summary>
    public void Notify(bool isLost)
    {
        foreach (var (client, handler, _) in _handlers.Where(entry => entry.IsLost == isLost))
        {
            var args = new ConnectionFailedEventArgs(this, new DnsEndPoint("redis.test", 6379), ConnectionType.Subscription, ConnectionFailureType.SocketClosed, new IOException(), "redis");
            scheduler.At(client.Process, scheduler.Now, () => handler(this, args));
        }
    }

    private TimeSpan Latency(SimulatedProcess client)
    {
        var isSlow = Fault is NetworkFault.Slow || SlowClients.Contains(client);
        return TimeSpan.FromMicroseconds((isSlow ? 40_000 : 0) + scheduler.Random.Next(100, isSlow ? 400_000 : 4_000));
    }

    private static TimeSpan Later(TimeSpan one, TimeSpan other) => one > other ? one : other;
}

/// <summary>What is wrong with Redis or its network.</summary>
internal enum NetworkFault
{
    None,
    Down,
    RepliesLost,
    ReadOnly,
    Slow,
}
