using System.Collections.Concurrent;
using LumaGateway.Proxy;
using LumaGateway.Tests.Support;
using LumaGateway.Upstreams;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Tests.Proxy;

/// <summary>A gateway that also forwards <c>/luma</c> to the scripted upstream. Records the request bodies.</summary>
internal sealed class RawGateway : IDisposable
{
    private readonly ConcurrentQueue<string> _bodies = new();

    public RawGateway() => Gateway.With(services => services.Replace(
        ServiceDescriptor.Singleton<IForwarderHttpClientFactory>(provider => new ClientFactory(provider, new BodyRecorder(Gateway.Upstream, _bodies)))));

    public Gateway Gateway { get; } = new();

    public ScriptedUpstream Upstream => Gateway.Upstream;

    /// <summary>The bodies that the upstream received, in order.</summary>
    public IReadOnlyList<string> Bodies => [.. _bodies];

    public HttpClient CreateCaller() => Gateway.CreateCaller();

    public void Dispose() => Gateway.Dispose();

    /// <summary>The gateway's handlers without the socket.</summary>
    private sealed class ClientFactory(IServiceProvider services, HttpMessageHandler handler) : IForwarderHttpClientFactory
    {
        public HttpMessageInvoker CreateClient(ForwarderHttpClientContext context) =>
            new HttpMessageInvoker(new AccountHandler(services.GetRequiredService<UpstreamAccounts>(), handler), disposeHandler: false);
    }
}
