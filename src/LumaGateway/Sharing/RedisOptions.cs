using System.Net;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace LumaGateway.Sharing;

/// <summary>The Redis that replicas share, if any. Bound to <c>ConnectionStrings</c>.</summary>
internal sealed class RedisOptions
{
    public const string Section = "ConnectionStrings";

    /// <summary>
    /// A StackExchange.Redis configuration: several endpoints, Sentinel, Cluster and TLS as it takes them; or a <c>redis://</c> or <c>rediss://</c> URL of
    /// one server. Empty: memory only.
    /// </summary>
    public string Redis { get; set; } = "";

    public bool IsConfigured => !string.IsNullOrEmpty(Redis); // a null in a settings file is bound as such

    /// <summary>
    /// What the connection string says, made fit for a cache that must never hold a caller up: it starts without Redis, and a
    /// call made while Redis is away fails at once instead of queueing.
    /// </summary>
    public ConfigurationOptions Parse()
    {
        var configuration = RedisUrl.IsUrl(Redis) ? RedisUrl.Parse(Redis) : ConfigurationOptions.Parse(Redis);
        configuration.AbortOnConnectFail = false;
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

/// <summary>Whether <c>ConnectionStrings:Redis</c> can be read at all. Never repeats it: it may hold a password.</summary>
internal sealed class RedisOptionsRules : IValidateOptions<RedisOptions>
{
    public ValidateOptionsResult Validate(string? name, RedisOptions options)
    {
        try
        {
            if (!options.IsConfigured)
            {
                return ValidateOptionsResult.Success;
            }

            var endpoints = options.Parse().EndPoints;
            return endpoints.Count == 0 ? ValidateOptionsResult.Fail("ConnectionStrings:Redis names no endpoint.")
                : endpoints.Any(IsNone) ? ValidateOptionsResult.Fail("ConnectionStrings:Redis names an endpoint that is no host, such as redis:6379.")
                : ValidateOptionsResult.Success;
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException)
        {
            return ValidateOptionsResult.Fail(
                "ConnectionStrings:Redis is neither a StackExchange.Redis configuration, such as redis:6379,password=…, nor a URL, such as rediss://user:password@redis:6379/0.");
        }
    }

    /// <summary>The client takes any text for a name, and then looks for it for ever.</summary>
    private static bool IsNone(EndPoint endpoint) => endpoint is DnsEndPoint { Host: var host } && Uri.CheckHostName(host) is UriHostNameType.Unknown;
}
