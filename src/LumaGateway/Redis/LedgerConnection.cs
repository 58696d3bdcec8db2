using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace LumaGateway.Redis;

/// <summary>
/// The connection to the Redis of the ledger: <c>ConnectionStrings:Ledger</c>, otherwise the cache's Redis. It is never the cache's connection, because <c>WAIT</c> holds
/// the commands behind it. Thread-safe.
/// </summary>
internal sealed class LedgerConnection(IOptions<RedisOptions> options, RedisConnection cache, TimeProvider clock, ILogger<RedisConnection> logger) : IAsyncDisposable
{
    /// <summary>The policy with which a full Redis refuses writes instead of evicting.</summary>
    public const string SafePolicy = "noeviction";

    /// <summary>
    /// The prefix of every name in the ledger. The hash tag is the same for all, so that one script can write several records, also in a Cluster.
    /// </summary>
    public const string Prefix = "luma-gateway:{ledger}:";

    private const string PolicyField = "maxmemory_policy:";

    /// <summary>Whether it is a different Redis than the cache's.</summary>
    public bool IsSeparate { get; } = options.Value.Ledger.Length > 0;

    public bool IsConfigured => Redis.IsConfigured;

    /// <summary>Does not log if the Redis is the cache's, whose connection logs the same.</summary>
    public RedisConnection Redis { get; } = new(Options.Create(options.Value.ForLedger()), clock, options.Value.Ledger.Length > 0 ? logger : NullLogger<RedisConnection>.Instance)
    {
        Connect = cache.Connect,
    };

    /// <summary>The policy at the last check; null if it is not known.</summary>
    public string? LastPolicy { get; set; }

    /// <summary>
    /// Reads the <c>maxmemory-policy</c> of the masters: <see cref="SafePolicy"/> only if all have it; null if none reports it. Throws the exceptions of
    /// Redis.
    /// </summary>
    public async Task<string?> ReadPolicyAsync()
    {
        var policies = new List<string>();
        foreach (var server in (await Redis.GetAsync()).GetServers().Where(server => server is { IsConnected: true, IsReplica: false }))
        {
            var memory = (string?)await server.ExecuteAsync("INFO", "memory") ?? string.Empty;
            policies.AddRange(memory.Split('\n').Where(line => line.StartsWith(PolicyField, StringComparison.Ordinal)).Select(line => line[PolicyField.Length..].Trim()));
        }

        return policies.Find(policy => policy != SafePolicy) ?? policies.FirstOrDefault();
    }

    public ValueTask DisposeAsync() => Redis.DisposeAsync();
}
