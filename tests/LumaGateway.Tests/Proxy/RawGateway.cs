using System.Collections.Concurrent;
using System.Text;
using LumaGateway.Proxy;
using LumaGateway.Tests.Support;
using LumaGateway.Upstreams;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Tests.Proxy;

/// <summary>A gateway whose raw API, too, goes to the scripted upstream. What it is sent is read whole and kept.</summary>
internal sealed class RawGateway : IDisposable
{
    private readonly ConcurrentQueue<string> _bodies = new();

    public RawGateway() => Gateway.With(services => services.Replace(
        ServiceDescriptor.Singleton<IForwarderHttpClientFactory>(provider => new Clients(provider, new BodyKeeper(Gateway.Upstream, _bodies)))));

    public Gateway Gateway { get; } = new();

    public ScriptedUpstream Upstream => Gateway.Upstream;

    /// <summary>The bodies that the upstream was sent, in order.</summary>
    public IReadOnlyList<string> Bodies => [.. _bodies];

    public HttpClient CreateCaller() => Gateway.CreateCaller();

    public void Dispose() => Gateway.Dispose();

    /// <summary>The service's own way to the upstream, but for the socket at its end.</summary>
    private sealed class Clients(IServiceProvider services, HttpMessageHandler handler) : IForwarderHttpClientFactory
    {
        public HttpMessageInvoker CreateClient(ForwarderHttpClientContext context)
        {
            var gate = services.GetRequiredService<ConcurrencyHandler>();
            var credential = services.GetRequiredService<CredentialHandler>();
            (gate.InnerHandler, credential.InnerHandler) = (credential, new NoImplicitRetryHandler(handler));
            return new HttpMessageInvoker(gate, disposeHandler: false);
        }
    }

    private sealed class BodyKeeper(HttpMessageHandler inner, ConcurrentQueue<string> bodies) : DelegatingHandler(inner)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.Content is { } content)
            {
                using var sent = new MemoryStream();
                await content.CopyToAsync(sent, cancellationToken);
                bodies.Enqueue(Encoding.UTF8.GetString(sent.ToArray()));
            }

            var response = await base.SendAsync(request, cancellationToken);
            response.RequestMessage = request;
            return response;
        }
    }
}
