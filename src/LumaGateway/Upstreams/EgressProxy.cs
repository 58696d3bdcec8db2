using System.Net;

namespace LumaGateway.Upstreams;

/// <summary>
/// The proxy of <c>https_proxy</c>, <c>http_proxy</c> and <c>no_proxy</c>, without user and password in its address: .NET writes the address into
/// exception messages, and thus into logs and traces. <see cref="Credentials"/> still returns the user and password.
/// </summary>
internal sealed class EgressProxy(IWebProxy environment) : IWebProxy
{
    public ICredentials? Credentials
    {
        get => environment.Credentials;
        set => environment.Credentials = value;
    }

    /// <summary>Sets the default proxy of every HTTP client in this process, those of libraries included.</summary>
    public static void UseByDefault() => HttpClient.DefaultProxy = new EgressProxy(HttpClient.DefaultProxy);

    public static Uri WithoutUser(Uri proxy) => proxy.UserInfo.Length == 0 ? proxy : new UriBuilder(proxy) { UserName = string.Empty, Password = string.Empty }.Uri;

    public Uri? GetProxy(Uri destination) => environment.GetProxy(destination) is { } proxy ? WithoutUser(proxy) : null;

    public bool IsBypassed(Uri host) => environment.IsBypassed(host);
}
