namespace LumaGateway.SystemTests;

/// <summary>The settings that every gateway, cache and balancer of this suite starts with, unless its test sets them itself.</summary>
internal static class SuiteSettings
{
    /// <summary>
    /// Time-outs near the end of their ranges, so that a process that gets no CPU for seconds does not reach them. A test of one of them sets that one.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Defaults { get; } = new Dictionary<string, string>
    {
        ["Cache:RedisTimeout"] = "00:00:05",
        ["Cache:LockLifetime"] = "00:00:30",
        ["Cache:CoverAfter"] = "00:01:00",
        ["Luma:AttemptTimeout"] = "00:01:00",
        ["Luma:Deadline"] = "00:02:00",
        ["Luma:BreakerMinimumCalls"] = "10000",
        ["Limits:Upstream:QueueTimeout"] = "00:00:30",
        ["Server:HeaderTimeout"] = "00:01:00",
        ["Server:MinBytesPerSecond"] = "1",
        ["Assets:ConnectTimeout"] = "00:01:00",
        ["Assets:Silence"] = "00:10:00",
    };

    /// <summary>
    /// What is changed in infra/nginx.conf and infra/haproxy.cfg, besides addresses: a gateway that lives is not given up for being slow, one that was away is
    /// soon tried again, and idle connections are long gone when a gateway closes.
    /// </summary>
    public static IReadOnlyDictionary<string, string> BalancerSettings { get; } = new Dictionary<string, string>
    {
        ["proxy_connect_timeout 1s;"] = "proxy_connect_timeout 60s;",
        ["keepalive_timeout 3s;"] = "keepalive_timeout 1s;",
        ["fail_timeout=5s"] = "fail_timeout=2s",
        ["proxy_next_upstream_timeout 60s;"] = "proxy_next_upstream_timeout 600s;",
        ["proxy_read_timeout 120s;"] = "proxy_read_timeout 600s;",
        ["timeout client 120s"] = "timeout client 600s",
        ["timeout server 120s"] = "timeout server 600s",
        ["timeout connect 1s"] = "timeout connect 60s\n    timeout check 60s",
    };
}
