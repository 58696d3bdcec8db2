namespace LumaGateway.SystemTests;

/// <summary>The default settings of every gateway, cache and balancer in this suite.</summary>
internal static class SuiteSettings
{
    /// <summary>
    /// Long timeouts, so that a process without CPU for seconds does not reach them. A test of a timeout sets it.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Defaults { get; } = new Dictionary<string, string>
    {
        ["Cache:RedisTimeout"] = "00:00:05",
        ["Cache:LockLifetime"] = "00:00:30",
        ["Cache:StaleIfErrorAfter"] = "00:01:00",
        ["Luma:AttemptTimeout"] = "00:01:00",
        ["Luma:Deadline"] = "00:02:00",
        ["Luma:BreakerMinimumCalls"] = "10000",
        ["Limits:Upstream:QueueTimeout"] = "00:00:30",
        ["Server:HeaderTimeout"] = "00:01:00",
        ["Server:MinBytesPerSecond"] = "1",
        ["Assets:ConnectTimeout"] = "00:01:00",
        ["Assets:IdleTimeout"] = "00:10:00",
    };

    /// <summary>
    /// Replacements in infra/nginx.conf and infra/haproxy.cfg: long timeouts for slow gateways, short intervals until a failed gateway is tried again, and a short
    /// keep-alive, so that idle connections are closed before a gateway stops.
    /// </summary>
    public static IReadOnlyDictionary<string, string> BalancerSettings { get; } = new Dictionary<string, string>
    {
        ["proxy_connect_timeout 1s;"] = "proxy_connect_timeout 60s;",
        ["keepalive_timeout 3s;"] = "keepalive_timeout 1s;",
        ["fail_timeout=5s"] = "fail_timeout=2s",
        ["proxy_next_upstream_timeout 60s;"] = "proxy_next_upstream_timeout 600s;",
        ["proxy_read_timeout 240s;"] = "proxy_read_timeout 600s;",
        ["timeout client 240s"] = "timeout client 600s",
        ["timeout server 240s"] = "timeout server 600s",
        ["timeout connect 1s"] = "timeout connect 60s\n    timeout check 60s",
    };
}
