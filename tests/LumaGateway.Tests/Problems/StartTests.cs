using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Problems;

public sealed class StartTests
{
    public static TheoryData<string, string?, string> InvalidSettings => new()
    {
        { "Luma:BaseAddress", null, "Luma:BaseAddress" },
        { "Luma:BaseAddress", "not an address", "Luma:BaseAddress" },
        { "Luma:BaseAddress", "ftp://upstream.test", "Luma:BaseAddress" },
        { "Luma:BaseAddress", "https://user:pass@upstream.test", "Luma:BaseAddress" },
        { "Luma:Dialect", "klingon", "Luma:Dialect" },
        { "Luma:Name", "no spaces please", "Luma:Name" },
        { "Luma:ApiKey", null, "Luma:ApiKey" },
        { "Luma:ApiKey", "CANARY with a space", "Luma:ApiKey" },
        { "Luma:ApiKeyFile", "/nothing/here", "Luma:ApiKey" },
        { "Luma:Deadline", "00:10:00", "Luma:Deadline" },
        { "Luma:AttemptTimeout", "00:01:00", "Luma:AttemptTimeout" },
        { "Luma:Retries", "11", "Luma:Retries" },
        { "Luma:MaxBodyBytes", "1", "Luma:MaxBodyBytes" },
        { "Luma:BreakerFailureRatio", "2", "Luma:BreakerFailureRatio" },
        { "Cache:MemoryBytes", "1", "Cache:MemoryBytes" },
        { "Cache:MemoryLifetime", "00:02:00", "Cache:MemoryLifetime" },
        { "Cache:SigningKey", "CANARY-0123456789-0123456789-01", "Cache:SigningKey" },
        { "Cache:SigningKey", "CANARY-0123456789-0123456789-012,short", "Cache:SigningKey" },
        { "Cache:SigningKey", "CANARY 0123456789 0123456789 0123456789", "Cache:SigningKey" },
        { "Cache:SigningKey", ",", "Cache:SigningKey" },
        { "Cache:SigningKeyFile", "/nothing/here", "Cache:SigningKeyFile" },
        { "Luma:Dialect", "", "Luma:Dialect" },
        { "Freshness:NotFound", "00:00:03", "Freshness:NotFound" },
        { "Freshness:InterimMin", "00:00:05", "Freshness:InterimMin" },
        { "ConnectionStrings:Redis", "nonsense=CANARY", "ConnectionStrings:Redis" },
        { "Server:ShutdownDelay", "00:10:00", "Server:ShutdownDelay" },
        { "Server:ShutdownTimeout", "00:00:00", "Server:ShutdownTimeout" },
        { "ReverseProxy:Routes:generations:Match:Path", "/{", "ReverseProxy:Routes:generations" },
        { "ReverseProxy:Routes:generations:ClusterId", "nowhere", "ReverseProxy:Routes:generations:ClusterId" },
        { "ReverseProxy:Routes:generations:Order", "lots", "ReverseProxy:Routes:generations:Order" },
        { "ReverseProxy:Routes:generations:AuthorizationPolicy", "default", "ReverseProxy:Routes:generations:AuthorizationPolicy" },
        { "ReverseProxy:Routes:generations:CorsPolicy", "disable", "ReverseProxy:Routes:generations:CorsPolicy" },
        { "ReverseProxy:Routes:generations:RateLimiterPolicy", "default", "ReverseProxy:Routes:generations:RateLimiterPolicy" },
        { "ReverseProxy:Routes:generations:OutputCachePolicy", "cached", "ReverseProxy:Routes:generations:OutputCachePolicy" },
        { "ReverseProxy:Routes:generations:TimeoutPolicy", "disable", "ReverseProxy:Routes:generations:TimeoutPolicy" },
        { "ReverseProxy:Routes:generations:Timeout", "00:00:05", "ReverseProxy:Routes:generations:Timeout" },
        { "Access:Clients:0:Name", "", "Access:Clients:0:Name" },
        { "Access:Clients:0:KeySha256", "CANARY", "Access:Clients:0:KeySha256" },
        { "Access:Clients:0:Rights:0", "everything", "Access:Clients:0:Rights" },
        { "Assets:RewriteUrls", "true", "Assets:PublicUrl" },
        { "Assets:PublicUrl", "gateway.test", "Assets:PublicUrl" },
        { "Assets:PublicUrl", "ftp://gateway.test", "Assets:PublicUrl" },
        { "Assets:PublicUrl", "https://user:CANARY@gateway.test", "Assets:PublicUrl" },
        { "Assets:PublicUrl", "https://gateway.test/?a=b", "Assets:PublicUrl" },
        { "Assets:PublicUrl", "https://gateway.test/#a", "Assets:PublicUrl" },
        { "Assets:AllowedHosts:0", "https://cdn.test", "Assets:AllowedHosts:0" },
        { "Assets:AllowedHosts:0", "cdn.test:0", "Assets:AllowedHosts:0" },
        { "Assets:AllowedHosts:0", "*", "Assets:AllowedHosts:0" },
        { "Assets:AllowedNetworks:0", "10.0.0.0/33", "Assets:AllowedNetworks:0" },
        { "Assets:AllowedNetworks:0", "private", "Assets:AllowedNetworks:0" },
        { "Assets:Proxy", "proxy.test:3128", "Assets:Proxy" },
        { "Assets:Proxy", "socks5://user:CANARY@proxy.test", "Assets:Proxy" },
        { "Assets:Proxy", "https://user:CANARY@proxy.test", "Assets:Proxy" },
        { "Assets:Mode", "Stroll", "Assets:Mode" },
        { "Assets:ConnectTimeout", "00:02:00", "Assets:ConnectTimeout" },
        { "Assets:IdleTimeout", "00:00:00", "Assets:IdleTimeout" },
        { "Callbacks:PublicUrl", "https://gateway.test", "Callbacks:SecretFile" },
        { "Callbacks:PublicUrl", "gateway.test", "Callbacks:PublicUrl" },
        { "Callbacks:SecretFile", "/nothing/here", "Callbacks:SecretFile" },
        { "Waiting:PollFloor", "00:00:03", "Waiting:PollFloor" },
        { "Waiting:PollSlowest", "00:00:01", "Waiting:PollSlowest" },
        { "Waiting:Max", "0", "Waiting:Max" },
        { "Batch:MaxIds", "0", "Batch:MaxIds" },
        { "Passthrough:MaxBodyBytes", "1", "Passthrough:MaxBodyBytes" },
        { "Passthrough:CreateTimeout", "00:20:00", "Passthrough:CreateTimeout" },
    };

    [Theory]
    [MemberData(nameof(InvalidSettings), DisableDiscoveryEnumeration = true)]
    public void An_invalid_setting_stops_the_start_with_its_key_and_without_its_value(string key, string? value, string named)
    {
        using var gateway = new Gateway().With(key, value);

        var faults = StartFaultsOf(gateway);

        Assert.Contains(faults, fault => fault.StartsWith(named, StringComparison.Ordinal));
        Assert.DoesNotContain("CANARY", string.Join('\n', faults), StringComparison.Ordinal);
    }

    [Fact]
    public void All_invalid_settings_are_reported_together()
    {
        using var gateway = new Gateway().With("Luma:BaseAddress", "x").With("Luma:Dialect", "y").With("Cache:MemoryBytes", "1").With("Luma:Retries", "11");

        var faults = string.Join('\n', StartFaultsOf(gateway));

        Assert.All(
            ["Luma:BaseAddress", "Luma:Dialect", "Luma:Retries", "Cache:MemoryBytes"],
            key => Assert.Contains(key, faults, StringComparison.Ordinal));
    }

    [Fact]
    public void Settings_without_any_way_to_authenticate_stop_the_start()
    {
        using var gateway = new Gateway();
        foreach (var setting in new[] { "Name", "KeySha256", "Rights:0", "Rights:1", "Rights:2", "Rights:3", "Rights:4", "Rights:5" })
        {
            gateway.With($"Access:Clients:0:{setting}", null);
        }

        var faults = string.Join('\n', StartFaultsOf(gateway));

        Assert.Contains("Access:Clients:0:KeySha256", faults, StringComparison.Ordinal);
        Assert.Contains("Access:AllowAnonymous", faults, StringComparison.Ordinal);
    }

    private static List<string> StartFaultsOf(Gateway gateway)
    {
        Assert.ThrowsAny<Exception>(gateway.CreateCaller);
        return gateway.StartFaults;
    }
}
