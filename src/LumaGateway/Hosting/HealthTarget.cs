namespace LumaGateway.Hosting;

/// <summary>The address at which the health command asks the gateway on this machine.</summary>
/// <param name="Address">With <c>127.0.0.1</c> if the gateway listens on all addresses.</param>
/// <param name="IsHttp2Only">Whether the listener refuses HTTP/1.1.</param>
internal sealed record HealthTarget(Uri Address, bool IsHttp2Only)
{
    private const string Localhost = "127.0.0.1";

    /// <summary>
    /// Chooses one of the addresses on which a gateway with these settings listens (<see cref="Listeners"/>): plain HTTP/1.1 before https, because it needs no
    /// certificate, and HTTP/2 without TLS last. Every port serves the health checks. Null if none has a fixed TCP port.
    /// </summary>
    public static HealthTarget? Find(IConfiguration settings)
    {
        var protocols = settings["Kestrel:EndpointDefaults:Protocols"];
        var listeners = settings.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => (Url: endpoint["Url"] ?? "", Protocols: endpoint["Protocols"] ?? protocols)).ToList();
        if (listeners.Count == 0)
        {
            string[] management = settings["Management:Port"] is { Length: > 0 } port ? [$"http://*:{port}"] : [];
            listeners = [.. Listeners.HostAddresses(settings).Concat(management).Select(url => (url, protocols))];
        }

        return listeners.Select(listener => Parse(listener.Url, listener.Protocols)).OfType<HealthTarget>()
            .OrderBy(target => target.Address.Scheme == Uri.UriSchemeHttps ? 1 : target.IsHttp2Only ? 2 : 0)
            .FirstOrDefault();
    }

    private static HealthTarget? Parse(string url, string? protocols)
    {
        BindingAddress binding;
        try
        {
            binding = BindingAddress.Parse(url);
        }
        catch (FormatException)
        {
            return null; // the gateway does not start with it
        }

        if (binding.IsUnixPipe || binding.IsNamedPipe || binding.Port == 0 || string.Equals(protocols, "Http3", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        // Kestrel listens on all addresses for every host that is no address.
        var host = Uri.CheckHostName(binding.Host) is UriHostNameType.IPv4 or UriHostNameType.IPv6 && binding.Host is not ("0.0.0.0" or "[::]") ? binding.Host : Localhost;
        return Uri.TryCreate($"{binding.Scheme}://{host}:{binding.Port}", UriKind.Absolute, out var address)
            ? new HealthTarget(address, string.Equals(protocols, "Http2", StringComparison.OrdinalIgnoreCase))
            : null;
    }
}
