using System.Net;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Hosting;

public sealed class ForwardingTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Theory]
    [InlineData(null, null, "127.0.0.1", "http 127.0.0.1")]
    [InlineData(null, null, "10.1.2.3", "http 10.1.2.3")]
    [InlineData("KnownProxies:0", "10.1.2.3", "10.1.2.3", "https 203.0.113.9")]
    [InlineData("KnownProxies:0", "10.1.2.3", "10.1.2.4", "http 10.1.2.4")]
    [InlineData("KnownProxies:0", "10.1.2.3", "127.0.0.1", "http 127.0.0.1")]
    [InlineData("KnownNetworks:0", "10.0.0.0/8", "10.1.2.3", "https 203.0.113.9")]
    [InlineData("KnownNetworks:0", "10.0.0.0/8", "11.1.2.3", "http 11.1.2.3")]
    public async Task Forwarded_headers_are_trusted_only_from_configured_proxies(string? setting, string? value, string peer, string seen)
    {
        var connection = new Connection(IPAddress.Parse(peer));
        _gateway.With(services => services.Insert(0, ServiceDescriptor.Singleton<IStartupFilter>(connection)));
        if (setting is not null)
        {
            _gateway.With($"ForwardedHeaders:{setting}", value);
        }

        using var client = _gateway.CreateCallerWithoutKey();
        client.DefaultRequestHeaders.Add("X-Forwarded-For", "198.51.100.1, 203.0.113.9");
        client.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");
        client.DefaultRequestHeaders.Add("X-Forwarded-Host", "evil.test");

        using var response = await client.SendGetAsync("/health/live");

        Assert.Equal($"{seen} localhost", connection.Seen);
    }

    /// <summary>Sets the peer address of each request and records the scheme, address and host that the gateway uses.</summary>
    private sealed class Connection(IPAddress peer) : IStartupFilter
    {
        public string? Seen { get; private set; }

        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(inner => async context =>
            {
                context.Connection.RemoteIpAddress = peer;
                await inner(context);
                Seen = $"{context.Request.Scheme} {context.Connection.RemoteIpAddress} {context.Request.Host.Host}";
            });
            next(app);
        };
    }
}
