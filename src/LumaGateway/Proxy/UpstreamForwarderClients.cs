using System.Net;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Proxy;

/// <summary>Connects to the upstream as the slim read does, but leaves bodies as they come.</summary>
internal sealed class UpstreamForwarderClients(IOptions<LumaOptions> options, IServiceProvider services) : ForwarderHttpClientFactory
{
    protected override void ConfigureHandler(ForwarderHttpClientContext context, SocketsHttpHandler handler)
    {
        base.ConfigureHandler(context, handler);
        UpstreamHandler.Configure(handler, options.Value);
        handler.AutomaticDecompression = DecompressionMethods.None;
    }

    protected override HttpMessageHandler WrapHandler(ForwarderHttpClientContext context, HttpMessageHandler handler)
    {
        var gate = services.GetRequiredService<ConcurrencyHandler>();
        var credential = services.GetRequiredService<CredentialHandler>();
        (gate.InnerHandler, credential.InnerHandler) = (credential, new NoImplicitRetryHandler(base.WrapHandler(context, handler)));
        return gate;
    }
}
