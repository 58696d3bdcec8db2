using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace LumaGateway.Sharing;

/// <summary>The Redis that replicas share, if any. Bound to <c>ConnectionStrings</c>.</summary>
internal sealed class RedisOptions
{
    public const string Section = "ConnectionStrings";

    /// <summary>A StackExchange.Redis configuration: several endpoints, Sentinel, Cluster and TLS as it takes them. Empty: memory only.</summary>
    public string Redis { get; set; } = "";

    /// <summary>The Redis that keeps idempotency records, in the same form. It must not evict. Empty: the one of <see cref="Redis"/>.</summary>
    public string Ledger { get; set; } = "";

    public bool IsConfigured => Redis.Length > 0;

    /// <summary>These options with <see cref="Ledger"/> in the place of <see cref="Redis"/>.</summary>
    public RedisOptions OfLedger() => new() { Redis = Ledger.Length > 0 ? Ledger : Redis };

    /// <summary>
    /// What the connection string says, made fit for a cache that must never hold a caller up: it starts without Redis, and a
    /// call made while Redis is away fails at once instead of queueing.
    /// </summary>
    public ConfigurationOptions Parse()
    {
        var configuration = ConfigurationOptions.Parse(Redis);
        configuration.AbortOnConnectFail = false;
        configuration.AllowAdmin = true; // for INFO, which says whether the ledger may evict: the client sends it to nobody otherwise
        configuration.BacklogPolicy = BacklogPolicy.FailFast;
        configuration.ClientName ??= "luma-gateway";

        // A former master that comes back takes itself for one until the Sentinel tells it otherwise. A client that connects in between writes to it
        // until it asks again who is who: by default for up to a minute, in which nothing is shared.
        configuration.ConfigCheckSeconds = Math.Min(configuration.ConfigCheckSeconds, 5);
        configuration.ConnectTimeout = Math.Min(configuration.ConnectTimeout, 2000);
        configuration.HeartbeatInterval = TimeSpan.FromMilliseconds(500);
        configuration.ReconnectRetryPolicy = new LinearRetry(500);
        return configuration;
    }
}

/// <summary>Whether <c>ConnectionStrings:Redis</c> and <c>:Ledger</c> can be read at all. Never repeats them: they may hold a password.</summary>
internal sealed class RedisOptionsRules : IValidateOptions<RedisOptions>
{
    public ValidateOptionsResult Validate(string? name, RedisOptions options)
    {
        var faults = new ValidateOptionsResultBuilder();
        AddFault(faults, "ConnectionStrings:Redis", options);
        AddFault(faults, "ConnectionStrings:Ledger", new RedisOptions { Redis = options.Ledger });
        return faults.Build();
    }

    private static void AddFault(ValidateOptionsResultBuilder faults, string key, RedisOptions options)
    {
        try
        {
            if (options.IsConfigured && options.Parse().EndPoints.Count == 0)
            {
                faults.AddError($"{key} names no endpoint.");
            }
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException)
        {
            faults.AddError($"{key} is not a StackExchange.Redis configuration.");
        }
    }
}
