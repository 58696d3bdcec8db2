using LumaGateway.Upstreams;

namespace LumaGateway.Proxy;

/// <summary>Sends each request through the concurrency limit and the credential of its account, over the connections that all accounts share.</summary>
internal sealed class AccountHandler : HttpMessageHandler
{
    /// <summary>The account of a request. Not used with one account.</summary>
    public static readonly HttpRequestOptionsKey<UpstreamAccount> Key = new("luma-gateway.account");

    private readonly Dictionary<UpstreamAccount, HttpMessageInvoker> _invokers;
    private readonly HttpMessageInvoker? _only;

    public AccountHandler(UpstreamAccounts accounts, HttpMessageHandler connections)
    {
        var sending = new NoImplicitRetryHandler(connections);
        _invokers = accounts.All.ToDictionary(static account => account, account => new HttpMessageInvoker(
            new ConcurrencyHandler(account) { InnerHandler = new CredentialHandler(account) { InnerHandler = sending } }, disposeHandler: false));
        _only = accounts.Only is { } only ? _invokers[only] : null;
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        (_only ?? InvokerOf(request)).SendAsync(request, cancellationToken);

    private HttpMessageInvoker InvokerOf(HttpRequestMessage request) =>
        request.Options.TryGetValue(Key, out var account) ? _invokers[account] : throw new InvalidOperationException("The request has no account.");
}
