using System.Globalization;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>Where the gateway listens: where it is told to, on port 8080 if it is not told, and on <c>Management:Port</c> besides.</summary>
internal static class Listeners
{
    private const string Default = "http://*:8080";

    /// <summary>
    /// To be called before the start. The host reads its own settings only where no address was added, so they are read here. Endpoints of
    /// <c>Kestrel:Endpoints</c> replace addresses: who uses them lists the management port there.
    /// </summary>
    public static void AddListeners(this WebApplication app)
    {
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses;
        if (addresses is null or { IsReadOnly: true } || Endpoints(app.Configuration).Count > 0)
        {
            return;
        }

        if (addresses.Count == 0)
        {
            foreach (var address in Configured(app.Configuration))
            {
                addresses.Add(address);
            }
        }

        if (app.Services.GetRequiredService<IOptions<ManagementOptions>>().Value.Port is { } port)
        {
            addresses.Add(string.Create(CultureInfo.InvariantCulture, $"http://*:{port}"));
        }
    }

    /// <summary>The addresses of <c>Kestrel:Endpoints</c>; none where it is not used.</summary>
    public static List<string> Endpoints(IConfiguration settings) =>
        [.. settings.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => endpoint["Url"] ?? "")];

    public static bool IsAt(string address, int port)
    {
        try
        {
            return BindingAddress.Parse(address).Port == port;
        }
        catch (FormatException)
        {
            return false; // the server says so when it begins to listen
        }
    }

    /// <summary>Every address that is not of <c>Kestrel:Endpoints</c>, the default included.</summary>
    public static IEnumerable<string> Configured(IConfiguration settings)
    {
        if (settings[WebHostDefaults.ServerUrlsKey] is { Length: > 0 } urls)
        {
            return Listed(urls);
        }

        List<string> ports =
        [
            .. Listed(settings[WebHostDefaults.HttpPortsKey]).Select(port => $"http://*:{port}"),
            .. Listed(settings[WebHostDefaults.HttpsPortsKey]).Select(port => $"https://*:{port}"),
        ];
        return ports.Count > 0 ? ports : [Default];
    }

    private static string[] Listed(string? text) => text?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
}
