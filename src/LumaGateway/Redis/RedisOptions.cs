using System.Net;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace LumaGateway.Redis;

/// <summary>The Redis that replicas share. Bound to <c>ConnectionStrings</c>.</summary>
internal sealed class RedisOptions
{
    public const string Section = "ConnectionStrings";
    public const string RedisKey = "ConnectionStrings:Redis";
    public const string LedgerKey = "ConnectionStrings:Ledger";

    private string _key = RedisKey;

    /// <summary>
    /// A StackExchange.Redis configuration (several endpoints, Sentinel, Cluster, TLS), or a <c>redis://</c> or <c>rediss://</c> URL of one server.
    /// Empty: memory only.
    /// </summary>
    public string Redis { get; set => field = value ?? ""; } = "";

    /// <summary>The Redis of the ledger (idempotency records and jobs), in the same form. It must have <c>noeviction</c> and persistence. Empty: <see cref="Redis"/>.</summary>
    public string Ledger { get; set => field = value ?? ""; } = "";

    public bool IsConfigured => Redis.Length > 0;

    /// <summary>Returns options whose <see cref="Redis"/> is <see cref="Ledger"/>, if set.</summary>
    public RedisOptions ForLedger() => Ledger.Length > 0 ? new() { Redis = Ledger, _key = LedgerKey } : new() { Redis = Redis };

    /// <summary>Returns the key of the setting that <see cref="Redis"/> has its value from. A method, because every property of this class is a setting.</summary>
    public string GetKey() => _key;

    /// <summary>The client configuration: the gateway starts without Redis, and a call without a connection fails at once instead of queueing.</summary>
    public ConfigurationOptions Parse()
    {
        var configuration = RedisUrl.IsUrl(Redis) ? RedisUrl.Parse(Redis) : ConfigurationOptions.Parse(Redis);
        configuration.AbortOnConnectFail = false;
        configuration.AllowAdmin = true; // needed for INFO, which reports the eviction policy
        configuration.BacklogPolicy = BacklogPolicy.FailFast;
        configuration.ClientName ??= "luma-gateway";

        // A former master that returns acts as master until Sentinel corrects it. A client that connects in between writes to it until the next role
        // discovery, by default a minute later.
        configuration.ConfigCheckSeconds = Math.Min(configuration.ConfigCheckSeconds, 5);
        configuration.ConnectTimeout = Math.Min(configuration.ConnectTimeout, 2000);
        configuration.HeartbeatInterval = TimeSpan.FromMilliseconds(500);
        configuration.ReconnectRetryPolicy = new LinearRetry(500);
        return configuration;
    }
}

/// <summary>Validates <c>ConnectionStrings:Redis</c> and <c>:Ledger</c>. Messages never contain the values: they may hold a password.</summary>
internal sealed class RedisOptionsRules : IValidateOptions<RedisOptions>
{
    public ValidateOptionsResult Validate(string? name, RedisOptions options)
    {
        var errors = new ValidateOptionsResultBuilder();
        AddErrors(errors, RedisOptions.RedisKey, options);
        AddErrors(errors, RedisOptions.LedgerKey, new RedisOptions { Redis = options.Ledger });
        return errors.Build();
    }

    private static void AddErrors(ValidateOptionsResultBuilder errors, string key, RedisOptions options)
    {
        try
        {
            var endpoints = options.IsConfigured ? options.Parse().EndPoints : null;
            if (endpoints is { Count: 0 })
            {
                errors.AddError($"{key} names no endpoint.");
            }
            else if (endpoints is not null && endpoints.Any(IsInvalid))
            {
                errors.AddError($"{key} names an endpoint that is not a host. A valid one is redis:6379.");
            }
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException)
        {
            errors.AddError($"{key} is neither a StackExchange.Redis configuration, such as redis:6379,password=…, nor a URL, such as rediss://user:password@redis:6379/0.");
        }
    }

    /// <summary>The client accepts any text as a host name and then resolves it without end.</summary>
    private static bool IsInvalid(EndPoint endpoint) => endpoint is DnsEndPoint { Host: var host } && Uri.CheckHostName(host) is UriHostNameType.Unknown;
}
