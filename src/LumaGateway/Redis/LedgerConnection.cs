using Microsoft.Extensions.Options;

namespace LumaGateway.Redis;

/// <summary>The connection to the Redis of the idempotency records: <c>ConnectionStrings:Ledger</c>, otherwise the cache's Redis. Thread-safe.</summary>
internal sealed class LedgerConnection(IOptions<RedisOptions> options, RedisConnection cache, ILogger<RedisConnection> logger) : IAsyncDisposable
{
    /// <summary>The policy with which a full Redis refuses writes instead of evicting.</summary>
    public const string SafePolicy = "noeviction";

    private const string PolicyField = "maxmemory_policy:";

    private readonly RedisConnection? _separate = options.Value.Ledger.Length > 0 ? new RedisConnection(Options.Create(options.Value.ForLedger()), logger) : null;

    /// <summary>Whether it is a different Redis than the cache's.</summary>
    public bool IsSeparate => _separate is not null;

    public bool IsConfigured => _separate is not null || cache.IsConfigured;

    public RedisConnection Redis => _separate ?? cache;

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

    public ValueTask DisposeAsync() => _separate?.DisposeAsync() ?? ValueTask.CompletedTask;
}
