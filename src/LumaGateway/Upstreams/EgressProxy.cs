using System.Net;

namespace LumaGateway.Upstreams;

/// <summary>
/// The proxy that <c>https_proxy</c>, <c>http_proxy</c> and <c>no_proxy</c> name, with its user and password out of its address: .NET repeats the
/// address in the messages of its exceptions, and so in logs and traces. The credentials themselves are looked up apart, by the address alone.
/// </summary>
internal sealed class EgressProxy(IWebProxy environment) : IWebProxy
{
    public ICredentials? Credentials
    {
        get => environment.Credentials;
        set => environment.Credentials = value;
    }

    /// <summary>Makes it the proxy of every client of this process that has none of its own, those of libraries included.</summary>
    public static void UseByDefault() => HttpClient.DefaultProxy = new EgressProxy(HttpClient.DefaultProxy);

    public static Uri WithoutUser(Uri proxy) => proxy.UserInfo.Length == 0 ? proxy : new UriBuilder(proxy) { UserName = string.Empty, Password = string.Empty }.Uri;

    public Uri? GetProxy(Uri destination) => environment.GetProxy(destination) is { } proxy ? WithoutUser(proxy) : null;

    public bool IsBypassed(Uri host) => environment.IsBypassed(host);
}
