using System.Reflection;
using System.Text;
using LumaGateway.Caching;
using LumaGateway.Jobs;
using LumaGateway.Proxy.Idempotency;
using Microsoft.Extensions.Caching.Distributed;
using StackExchange.Redis;

namespace LumaGateway.Tests.Redis;

/// <summary>
/// A Redis in this process: entries through <see cref="IDistributedCache"/>, and through the client's interfaces the commands of locks, records and
/// messages. Lifetimes follow the given clock. A test can hold or fail a command by its name and the end of its key. Several replicas can share one.
/// </summary>
internal sealed class FakeRedis(TimeProvider clock) : IDistributedCache
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (byte[] Value, DateTimeOffset Until)> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (long RequestedAt, string Kind)> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, DateTimeOffset>> _leases = new(StringComparer.Ordinal);
    private readonly List<Rule> _rules = [];
    private readonly List<(string Command, string Key)> _commands = [];
    private readonly List<Subscription> _subscriptions = [];

    /// <summary>The connection state that the client reports.</summary>
    public bool IsConnected { get; set; } = true;

    /// <summary>The exception that the client throws before it sends a command; null if it sends.</summary>
    public Exception? ClientFault { get; set; }

    /// <summary>The servers that the client lists. Without one, the ledger's policy cannot be read, and its writes wait for no replica.</summary>
    public IServer[] Masters { get; set; } = [];

    /// <summary>Runs the effect of each command; null to run it at once. A simulation delays, orders and fails commands with it.</summary>
    public INetwork? Network { get; init; }

    /// <summary>Changes the values of a script before it runs; null to run it unchanged. A planted bug uses it.</summary>
    public Action<string, RedisKey[], RedisValue[]>? ChangeScript { get; init; }

    /// <summary>Receives the request times, in microseconds, of an entry that is replaced or removed by a write and of the one that is written.</summary>
    public Action<long, long>? OnReplace { get; init; }

    /// <summary>Receives the request time, in microseconds, of each entry that is stored.</summary>
    public Action<long>? OnStore { get; init; }

    /// <summary>Whether the client's subscription is on a Redis replica. Messages published through that connection reach no subscriber.</summary>
    public bool IsSubscribedToReplica { get; set; }

    /// <summary>The exception of the client when the connection breaks.</summary>
    public static RedisException ConnectionLost() => new RedisConnectionException(ConnectionFailureType.SocketClosed, CommandFlags.None, "connection lost", null, CommandStatus.Sent);

    /// <summary>Creates a connection with the client's interface.</summary>
    public IConnectionMultiplexer Connect()
    {
        var connection = DispatchProxy.Create<IConnectionMultiplexer, ClientInterface>();
        ((ClientInterface)(object)connection).Redis = this;
        return connection;
    }

    /// <summary>Holds the next command of this name on a key with this end.</summary>
    /// <param name="command">The command, as in <see cref="Commands"/>.</param>
    /// <param name="part">The end of the key.</param>
    /// <param name="replyOnly">Whether the command takes effect at once and only its reply is held.</param>
    public HeldStep Hold(string command, string part, bool replyOnly = false)
    {
        var step = new HeldStep();
        Add(new Rule(command, part, replyOnly, Once: true, step.HoldAsync));
        return step;
    }

    /// <summary>Makes all commands of this name and end of key fail until the result is disposed.</summary>
    public IDisposable Fail(string command = "", string part = "", bool replyOnly = false, Exception? exception = null) =>
        Add(new Rule(command, part, replyOnly, Once: false, () => Task.FromException(exception ?? ConnectionLost())));

    /// <summary>Leaves all commands of this name and end of key without a reply until the result is disposed.</summary>
    public IDisposable Silence(string command = "", string part = "", bool replyOnly = false) =>
        Add(new Rule(command, part, replyOnly, Once: false, () => new TaskCompletionSource().Task));

    /// <summary>The number of commands of this name and end of key that took effect.</summary>
    public int Count(string command, string part = "")
    {
        lock (_gate)
        {
            return _commands.Count(executed => executed.Command == command && executed.Key.EndsWith(part, StringComparison.Ordinal));
        }
    }

    /// <summary>The commands that took effect, in order, each with the last part of its key.</summary>
    public List<string> Commands
    {
        get
        {
            lock (_gate)
            {
                return [.. _commands.Select(executed => $"{executed.Command} {executed.Key[(executed.Key.LastIndexOf(':') + 1)..]}")];
            }
        }
    }

    /// <summary>The keys that hold a value.</summary>
    public List<string> Keys
    {
        get
        {
            lock (_gate)
            {
                return [.. _values.Keys.Where(key => Find(key) is not null)];
            }
        }
    }

    /// <summary>The leases of slots that have not expired.</summary>
    public List<string> Leases
    {
        get
        {
            lock (_gate)
            {
                return [.. _leases.Values.SelectMany(leases => leases.Where(lease => lease.Value > clock.GetUtcNow()).Select(lease => lease.Key))];
            }
        }
    }

    /// <summary>Clears the recorded commands.</summary>
    public void ClearCommands()
    {
        lock (_gate)
        {
            _commands.Clear();
        }
    }

    /// <summary>The value of the only key with this end; null if there is none.</summary>
    public byte[]? Value(string part)
    {
        lock (_gate)
        {
            return KeyOf(part) is { } key ? Find(key) : null;
        }
    }

    /// <summary>The remaining lifetime of the only key with this end.</summary>
    public TimeSpan LifeOf(string part)
    {
        lock (_gate)
        {
            return _values[KeyOf(part)!].Until - clock.GetUtcNow();
        }
    }

    /// <summary>Replaces the value of the only key with this end, as another program could.</summary>
    public void Overwrite(string part, byte[] value)
    {
        lock (_gate)
        {
            var key = KeyOf(part)!;
            _values[key] = (value, _values[key].Until);
        }
    }

    /// <summary>Removes all keys with this end, without a command.</summary>
    public void Lose(string part)
    {
        lock (_gate)
        {
            foreach (var key in _values.Keys.Where(key => key.EndsWith(part, StringComparison.Ordinal)).ToList())
            {
                _values.Remove(key);
            }
        }
    }

    /// <summary>The value of a key; null if there is none.</summary>
    public byte[]? ValueOf(string key)
    {
        lock (_gate)
        {
            return Find(key);
        }
    }

    /// <summary>Returns an action that restores the keys for which the predicate is true, as a failover that loses the writes since now does.</summary>
    public Action Snapshot(Func<string, bool> isLost)
    {
        lock (_gate)
        {
            var (values, entries) = (_values.Where(pair => isLost(pair.Key)).ToList(), _entries.Where(pair => isLost(pair.Key)).ToList());
            return () =>
            {
                lock (_gate)
                {
                    _values.Keys.Where(isLost).ToList().ForEach(key => _values.Remove(key));
                    values.ForEach(pair => _values[pair.Key] = pair.Value);
                    entries.ForEach(pair => _entries[pair.Key] = pair.Value);
                }
            };
        }
    }

    public byte[]? Get(string key) => throw new NotSupportedException();

    public Task<byte[]?> GetAsync(string key, CancellationToken token = default) => RunAsync("get", key, () => Find(key));

    public void Refresh(string key) => throw new NotSupportedException();

    public Task RefreshAsync(string key, CancellationToken token = default) => throw new NotSupportedException();

    public void Remove(string key) => throw new NotSupportedException();

    public Task RemoveAsync(string key, CancellationToken token = default) => RunAsync("remove", key, () => _values.Remove(key));

    public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => throw new NotSupportedException();

    public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default) =>
        RunAsync("set", key, () => Put(key, value, options.AbsoluteExpirationRelativeToNow!.Value));

    private Rule Add(Rule rule)
    {
        lock (_gate)
        {
            rule.Ended = () =>
            {
                lock (_gate)
                {
                    _rules.Remove(rule);
                }
            };
            _rules.Add(rule);
        }

        return rule;
    }

    private Task<T> RunAsync<T>(string command, string key, Func<T> effect)
    {
        return Network is null ? RunRuledAsync(command, key, effect) : Network.RunAsync(command, key, Run);

        T Run()
        {
            lock (_gate)
            {
                return effect();
            }
        }
    }

    private async Task<T> RunRuledAsync<T>(string command, string key, Func<T> effect)
    {
        Rule? rule;
        lock (_gate)
        {
            rule = _rules.Find(rule => rule.Matches(command, key));
            if (rule is { Once: true })
            {
                _rules.Remove(rule);
            }
        }

        if (rule is { ReplyOnly: false })
        {
            await rule.RunAsync();
        }

        T result;
        lock (_gate)
        {
            _commands.Add((command, key));
            result = effect();
        }

        if (rule is { ReplyOnly: true })
        {
            await rule.RunAsync();
        }

        return result;
    }

    private byte[]? Find(string key) => _values.TryGetValue(key, out var found) && clock.GetUtcNow() < found.Until ? found.Value : null;

    private bool Put(string key, byte[] value, TimeSpan life)
    {
        _values[key] = (value, clock.GetUtcNow() + life);
        return true;
    }

    private string? KeyOf(string part) => _values.Keys.SingleOrDefault(key => key.EndsWith(part, StringComparison.Ordinal));

    private Task<bool> AddAsync(string key, byte[] value, TimeSpan life) => RunAsync("add", key, () => Find(key) is null && Put(key, value, life));


    private Task<RedisResult> ScriptAsync(string script, RedisKey[] keys, RedisValue[] values) => script switch
    {
        CacheScripts.Lock => RunAsync("add", keys[3]!, () => AcquireLock(keys, Changed(script, keys, values))),
        CacheScripts.Release => RunAsync("remove", keys[3]!, () => RedisResult.Create(ReleaseLock(keys[3]!, Changed(script, keys, values)[0]!))),
        CacheScripts.Extend => RunAsync("extend", keys[3]!, () => RedisResult.Create(ExtendLock(keys[3]!, values[0]!, TimeSpan.FromMilliseconds((long)values[1])))),
        CacheScripts.Write => RunAsync("set", (values[1] == "final" ? keys[0] : keys[1])!, () => RedisResult.Create(WriteAndRelease(keys, Changed(script, keys, values)))),
        CacheScripts.Purge => RunAsync("purge", keys[2]!, () => RedisResult.Create(Purge(keys, Changed(script, keys, values)))),
        RedisIdempotencyStore.AddScript => RunAsync("add", keys[0]!, () => RedisResult.Create((RedisValue)AddWithJob(keys, Changed(script, keys, values)))),
        RedisIdempotencyStore.ReplaceScript => RunAsync("replace", keys[0]!, () => RedisResult.Create(ChangeWithJob(keys, Changed(script, keys, values), () => Put(keys[0]!, values[1]!, TimeSpan.FromMilliseconds((long)values[2]))))),
        RedisIdempotencyStore.RemoveScript => RunAsync("remove", keys[0]!, () => RedisResult.Create(ChangeWithJob(keys, values, () => _values.Remove(keys[0]!)))),
        RedisJobLedger.UpdateScript => RunAsync("update", keys[0]!, () => RedisResult.Create(UpdateJob(keys[0]!, Changed(script, keys, values)))),
        RedisSlotStore.TakeScript => RunAsync("take", keys[0]!, () => RedisResult.Create((RedisValue)TakeSlot(keys[0]!, Changed(script, keys, values)))),
        RedisSlotStore.BindScript => RunAsync("bind", keys[0]!, () => RedisResult.Create((RedisValue)BindSlot(keys[0]!, Changed(script, keys, values)))),
        JobScript.Apply => RunAsync("apply", keys[1]!, () => RedisResult.Create(ApplyJob(keys, values))),
        _ => ScriptAsync(script, keys[0]!, values),
    };

    private RedisValue[] Changed(string script, RedisKey[] keys, RedisValue[] values)
    {
        ChangeScript?.Invoke(script, keys, values);
        return values;
    }

    /// <summary>The scripts of idempotency records in C#. The system tests run the scripts themselves.</summary>
    private byte[]? AddWithJob(RedisKey[] keys, RedisValue[] values)
    {
        if (Find(keys[0]!) is { } existing)
        {
            return existing;
        }

        Put(keys[0]!, values[1]!, TimeSpan.FromMilliseconds((long)values[2]));
        ApplyJob(keys, values);
        return null;
    }

    private int ChangeWithJob(RedisKey[] keys, RedisValue[] values, Func<bool> change)
    {
        ApplyJob(keys, values);
        return Find(keys[0]!) is { } known && known.AsSpan().SequenceEqual(values[0]) && change() ? 1 : 0;
    }

    /// <summary><see cref="JobScript.Apply"/> in C#, without the indexes. The system tests run the script itself.</summary>
    private int ApplyJob(RedisKey[] keys, RedisValue[] values)
    {
        if (values[7] != "")
        {
            _values.Remove(keys[2]!);
        }

        return values[3] != "" && Find(keys[1]!) is null && Put(keys[1]!, values[4]!, TimeSpan.FromMilliseconds((long)values[5])) ? 1 : 0;
    }

    /// <summary><see cref="RedisSlotStore.TakeScript"/> in C#, without the limit per minute. The system tests run the script itself.</summary>
    private int TakeSlot(string key, RedisValue[] values)
    {
        var leases = _leases.TryGetValue(key, out var known) ? known : _leases[key] = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        RemoveExpired(leases);
        return leases.Count < (int)values[1] && leases.TryAdd(values[0]!, clock.GetUtcNow().AddMilliseconds((long)values[3])) ? -1 : 0;
    }

    /// <summary><see cref="RedisSlotStore.BindScript"/> in C#. The system tests run the script itself.</summary>
    private int BindSlot(string key, RedisValue[] values)
    {
        _leases[key].Remove(values[0]!);
        _leases[key][values[1]!] = clock.GetUtcNow().AddMilliseconds((long)values[2]);
        return 1;
    }

    /// <summary><see cref="RedisJobLedger.UpdateScript"/> in C#. The system tests run the script itself.</summary>
    private bool UpdateJob(string key, RedisValue[] values) => Find(key) is { } known && known.AsSpan().SequenceEqual(values[0]) && Put(key, values[1]!, _values[key].Until - clock.GetUtcNow());

    private void RemoveExpired(Dictionary<string, DateTimeOffset> leases)
    {
        foreach (var (lease, _) in leases.Where(lease => lease.Value <= clock.GetUtcNow()).ToList())
        {
            leases.Remove(lease);
        }
    }

    /// <summary><see cref="CacheScripts.Lock"/> in C#. The system tests run the script itself.</summary>
    private RedisResult AcquireLock(RedisKey[] keys, RedisValue[] values)
    {
        var state = values[2] == "unless_final" && Find(keys[0]!) is not null ? "final"
            : Find(keys[3]!) is null && Put(keys[3]!, values[0]!, TimeSpan.FromMilliseconds((long)values[1])) ? "acquired"
            : "taken";
        return RedisResult.Create([RedisResult.Create((RedisValue)state), .. new[] { keys[2], keys[0], keys[1] }.Select(key => RedisResult.Create((RedisValue)Find(key!)))]);
    }

    private int WriteAndRelease(RedisKey[] keys, RedisValue[] values)
    {
        var result = WriteEntry(keys, values);
        if (Find(keys[3]!) is { } owner && owner.AsSpan().SequenceEqual(values[8]))
        {
            _values.Remove(keys[3]!);
            _commands.Add(("remove", keys[3]!));
        }

        return result;
    }

    private bool ReleaseLock(string key, byte[] owner) => Find(key) is { } current && current.AsSpan().SequenceEqual(owner) && _values.Remove(key);

    private bool ExtendLock(string key, byte[] owner, TimeSpan life) => Find(key) is { } current && current.AsSpan().SequenceEqual(owner) && Put(key, owner, life);

    /// <summary><see cref="CacheScripts.Write"/> in C#. The system tests run the script itself.</summary>
    private int WriteEntry(RedisKey[] keys, RedisValue[] values)
    {
        var (token, kind, requestedAt, latest) = ((string)values[0]!, (string)values[1]!, (long)values[2], (long)values[3]);
        if ((Find(keys[2]!) is { } known ? Encoding.UTF8.GetString(known) : "") != token)
        {
            return (int)WriteResult.Invalidated;
        }

        if (IsNewer(keys[0]!, null) || IsNewer(keys[1]!, kind is "final" ? "absent" : null))
        {
            return (int)WriteResult.Outdated;
        }

        var target = kind is "final" ? keys[0] : keys[1];
        foreach (var key in kind is "absent" ? [target, keys[0]] : new[] { target })
        {
            if (Find(key!) is not null && _entries.TryGetValue(key!, out var replaced))
            {
                OnReplace?.Invoke(replaced.RequestedAt, requestedAt);
            }
        }

        if (kind is "absent" && Find(keys[0]!) is not null)
        {
            _values.Remove(keys[0]!);
            Put(keys[2]!, values[6]!, TimeSpan.FromMilliseconds((long)values[7]));
        }

        _entries[target!] = (requestedAt, kind);
        OnStore?.Invoke(requestedAt);
        Put(target!, values[4]!, TimeSpan.FromMilliseconds((long)values[5]));
        return (int)WriteResult.Stored;

        bool IsNewer(string key, string? onlyKind) => Find(key) is not null && _entries.TryGetValue(key, out var entry)
            && entry.RequestedAt > requestedAt && entry.RequestedAt <= latest && (onlyKind is null || entry.Kind == onlyKind);
    }

    private int Purge(RedisKey[] keys, RedisValue[] values)
    {
        Put(keys[2]!, values[0]!, TimeSpan.FromMilliseconds((long)values[1]));
        _values.Remove(keys[0]!);
        _values.Remove(keys[1]!);
        return 1;
    }

    /// <summary>The scripts that compare a value before they change it.</summary>
    private Task<RedisResult> ScriptAsync(string script, string key, RedisValue[] values)
    {
        var (command, effect) = script switch
        {
            _ when script.Contains("'pexpire'", StringComparison.OrdinalIgnoreCase) => ("extend", (Func<bool>)(() => Put(key, values[0]!, TimeSpan.FromMilliseconds((long)values[1])))),
            _ when script.Contains("'SET'", StringComparison.OrdinalIgnoreCase) => ("replace", () => Put(key, values[1]!, TimeSpan.FromMilliseconds((long)values[2]))),
            _ when script.Contains("'del'", StringComparison.OrdinalIgnoreCase) => ("remove", () => _values.Remove(key)),
            _ => throw new RedisServerException(RedisErrorKind.UnknownError, CommandFlags.None, "ERR unknown script"),
        };
        return RunAsync(command, key, () => RedisResult.Create(Find(key) is { } known && known.AsSpan().SequenceEqual(values[0]) && effect() ? 1 : 0));
    }

    private Task<long> PublishAsync(RedisChannel channel, RedisValue message) => RunAsync("publish", channel.ToString(), () =>
    {
        var subscriptions = _subscriptions.FindAll(static subscription => subscription.IsActive);
        subscriptions.ForEach(subscription => subscription.Deliver(channel, message));
        return (long)subscriptions.Count;
    });

    /// <summary>As in the client, the handler stays if the command fails, and a later command makes it receive messages too.</summary>
    private Task<bool> SubscribeAsync(RedisChannel channel, Action<RedisChannel, RedisValue> handler)
    {
        var subscription = new Subscription(handler, Network is null ? handler : Network.Subscriber(handler));
        lock (_gate)
        {
            _subscriptions.Add(subscription);
        }

        return RunAsync("subscribe", channel.ToString(), () =>
        {
            _subscriptions.FindAll(other => other.Handler == handler).ForEach(static other => other.IsActive = true);
            return true;
        });
    }

    private Task UnsubscribeAsync(Action<RedisChannel, RedisValue> handler)
    {
        lock (_gate)
        {
            _subscriptions.RemoveAll(subscription => subscription.Handler == handler);
        }

        return Task.CompletedTask;
    }

    /// <summary>The network between the clients and Redis.</summary>
    internal interface INetwork
    {
        /// <summary>Runs the effect of a command of the current client, or fails.</summary>
        Task<T> RunAsync<T>(string command, string key, Func<T> effect);

        /// <summary>Returns what Redis calls for each message to the current client.</summary>
        Action<RedisChannel, RedisValue> Subscriber(Action<RedisChannel, RedisValue> handler);

        /// <summary>Adds a handler of the current client for lost (true) and restored connections.</summary>
        void AddConnectionHandler(EventHandler<ConnectionFailedEventArgs> handler, bool isLost);
    }

    private sealed record Subscription(Action<RedisChannel, RedisValue> Handler, Action<RedisChannel, RedisValue> Deliver)
    {
        public bool IsActive { get; set; }
    }

    private sealed record Rule(string Command, string Part, bool ReplyOnly, bool Once, Func<Task> RunAsync) : IDisposable
    {
        public Action Ended { get; set; } = () => { };

        public bool Matches(string command, string key) =>
            (Command.Length == 0 || Command == command) && key.EndsWith(Part, StringComparison.Ordinal);

        public void Dispose() => Ended();
    }

    /// <summary>The client's interfaces: connection, database and subscriber.</summary>
#pragma warning disable CA1852 // a proxy derives from it
    private class ClientInterface : DispatchProxy
#pragma warning restore CA1852
    {
        public FakeRedis Redis { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => (targetMethod!.Name, args) switch
        {
            ("GetDatabase", _) => Redis.ClientFault is { } fault ? throw fault : As<IDatabase>(),
            ("GetSubscriber", _) => As<ISubscriber>(),
            ("get_IsConnected" or "IsConnected", _) => Redis.IsConnected,
            ("add_ConnectionFailed", [EventHandler<ConnectionFailedEventArgs> handler]) => AddConnectionHandler(handler, isLost: true),
            ("add_ConnectionRestored", [EventHandler<ConnectionFailedEventArgs> handler]) => AddConnectionHandler(handler, isLost: false),
            ("GetServers", _) => Redis.Masters,
            ("ConfigureAsync", _) => Redis.RunAsync("configure", "", () => true),
            ("DisposeAsync", _) => new ValueTask(Redis.RunAsync("dispose", "", () => true)),
            ("StringSetAsync", [RedisKey key, RedisValue value, TimeSpan life, When.NotExists, ..]) => Redis.AddAsync(key!, value!, life),
            ("StringGetAsync", [RedisKey key, ..]) => StringGetAsync(key!),
            ("StringGetAsync", [RedisKey[] keys, ..]) => StringGetAsync(keys),
            ("ScriptEvaluateAsync", [string script, RedisKey[] keys, RedisValue[] values, ..]) => Redis.ScriptAsync(script, keys, values),
            ("PublishAsync", [RedisChannel channel, RedisValue message, ..]) => Redis.IsSubscribedToReplica ? Task.FromResult(0L) : Redis.PublishAsync(channel, message),
            ("ExecuteAsync", ["PUBLISH", ICollection<object> arguments, CommandFlags.DemandMaster]) => ExecutePublishAsync([.. arguments]),
            ("SortedSetRemoveAsync", [RedisKey key, RedisValue member, ..]) => Redis.RunAsync("release", key!, () => Redis._leases.TryGetValue(key!, out var leases) && leases.Remove(member!)),
            ("PingAsync", _) => Redis.RunAsync("ping", "", () => TimeSpan.Zero),
            ("SubscribeAsync", [RedisChannel channel, Action<RedisChannel, RedisValue> handler, ..]) => Redis.SubscribeAsync(channel, handler),
            ("UnsubscribeAsync", [RedisChannel, Action<RedisChannel, RedisValue> handler, ..]) => Redis.UnsubscribeAsync(handler),
            _ => throw new NotSupportedException(targetMethod.ToString()),
        };

        private async Task<RedisResult> ExecutePublishAsync(object[] arguments) =>
            RedisResult.Create(await Redis.PublishAsync(RedisChannel.Literal((string)arguments[0]), (RedisValue)arguments[1]));

        private object? AddConnectionHandler(EventHandler<ConnectionFailedEventArgs> handler, bool isLost)
        {
            Redis.Network?.AddConnectionHandler(handler, isLost);
            return null;
        }

        private async Task<RedisValue> StringGetAsync(string key) => await Redis.GetAsync(key);

        private async Task<RedisValue[]> StringGetAsync(RedisKey[] keys) =>
            [.. (await Redis.RunAsync("get", keys[0]!, () => keys.Select(key => Redis.Find(key!)).ToList())).Select(value => (RedisValue)value)];

        private T As<T>()
            where T : class
        {
            var proxy = Create<T, ClientInterface>();
            ((ClientInterface)(object)proxy).Redis = Redis;
            return proxy;
        }
    }
}
