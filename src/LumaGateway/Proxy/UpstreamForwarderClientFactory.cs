using LumaGateway.Telemetry;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Proxy;

/// <summary>Connects to the upstream with the settings of the gateway's own requests.</summary>
internal sealed class UpstreamForwarderClientFactory(IOptions<LumaOptions> options, UpstreamAccounts accounts, IServiceProvider services) : ForwarderHttpClientFactory
{
    protected override void ConfigureHandler(ForwarderHttpClientContext context, SocketsHttpHandler handler)
    {
        base.ConfigureHandler(context, handler);
        UpstreamHandler.Configure(handler, options.Value, services.ExportsSpans());
    }

    protected override HttpMessageHandler WrapHandler(ForwarderHttpClientContext context, HttpMessageHandler handler) =>
        new AccountHandler(accounts, base.WrapHandler(context, handler));
}
