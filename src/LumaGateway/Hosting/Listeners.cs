using System.Globalization;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>The addresses on which the gateway listens: the configured ones (port 8080 by default), and <c>Management:Port</c>.</summary>
internal static class Listeners
{
    private const string DefaultAddress = "http://*:8080";

    /// <summary>
    /// Must run before the start. The host ignores its own settings once an address is added, so this method adds them too. <c>Kestrel:Endpoints</c>
    /// replaces all addresses, so it must contain the management port.
    /// </summary>
    public static void AddListeners(this WebApplication app)
    {
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses;
        if (addresses is null or { IsReadOnly: true } || KestrelEndpoints(app.Configuration).Count > 0)
        {
            return;
        }

        if (addresses.Count == 0)
        {
            foreach (var address in HostAddresses(app.Configuration))
            {
                addresses.Add(address);
            }
        }

        if (app.Services.GetRequiredService<IOptions<ManagementOptions>>().Value.Port is { } port)
        {
            addresses.Add(string.Create(CultureInfo.InvariantCulture, $"http://*:{port}"));
        }
    }

    /// <summary>The addresses of <c>Kestrel:Endpoints</c>; empty if it is not set.</summary>
    public static List<string> KestrelEndpoints(IConfiguration settings) =>
        [.. settings.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => endpoint["Url"] ?? "")];

    public static bool HasPort(string address, int port)
    {
        try
        {
            return BindingAddress.Parse(address).Port == port;
        }
        catch (FormatException)
        {
            return false; // Kestrel reports the invalid address at the start
        }
    }

    /// <summary>The addresses of the host's own settings, such as <c>ASPNETCORE_URLS</c>, or the default.</summary>
    public static IEnumerable<string> HostAddresses(IConfiguration settings)
    {
        if (settings[WebHostDefaults.ServerUrlsKey] is { Length: > 0 } urls)
        {
            return Split(urls);
        }

        List<string> ports =
        [
            .. Split(settings[WebHostDefaults.HttpPortsKey]).Select(port => $"http://*:{port}"),
            .. Split(settings[WebHostDefaults.HttpsPortsKey]).Select(port => $"https://*:{port}"),
        ];
        return ports.Count > 0 ? ports : [DefaultAddress];
    }

    private static string[] Split(string? text) => text?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
}
