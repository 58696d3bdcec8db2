using LumaGateway.Upstreams;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>Sets Kestrel's limits from <see cref="ServerOptions"/>.</summary>
internal sealed class KestrelSetup(IOptions<ServerOptions> options) : IConfigureOptions<KestrelServerOptions>
{
    private static readonly TimeSpan GracePeriod = TimeSpan.FromSeconds(5);

    public void Configure(KestrelServerOptions kestrel)
    {
        var server = options.Value;
        var rate = new MinDataRate(server.MinBytesPerSecond, GracePeriod);

        kestrel.AddServerHeader = false;
        kestrel.AllowSynchronousIO = false;
        kestrel.ResponseHeaderEncodingSelector = static _ => HeaderBytes.Encoding; // by default a byte above 0x7F makes the response fail
        kestrel.Limits.MaxRequestBodySize = server.MaxBodyBytes;
        kestrel.Limits.MaxRequestLineSize = server.MaxRequestLineBytes;
        kestrel.Limits.MaxRequestHeadersTotalSize = server.MaxHeaderBytes;
        kestrel.Limits.MaxRequestHeaderCount = server.MaxHeaders;
        kestrel.Limits.MaxRequestBufferSize = Math.Max(kestrel.Limits.MaxRequestBufferSize ?? 0, server.MaxHeaderBytes + server.MaxRequestLineBytes);
        kestrel.Limits.RequestHeadersTimeout = server.HeaderTimeout;
        kestrel.Limits.KeepAliveTimeout = server.KeepAliveTimeout;
        kestrel.Limits.MinRequestBodyDataRate = rate;
        kestrel.Limits.MinResponseDataRate = rate;
        kestrel.Limits.MaxConcurrentConnections = server.MaxConnections;
        kestrel.Limits.MaxConcurrentUpgradedConnections = 0; // no endpoint uses WebSockets or other upgrades
        kestrel.Limits.Http2.MaxRequestHeaderFieldSize = server.MaxHeaderBytes;
    }
}
