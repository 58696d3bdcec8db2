using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace LumaGateway.Sandbox.Gateway;

/// <summary>Starts gateways that were built beside the sandbox, each as a separate process, configured by environment variables only.</summary>
internal sealed class GatewayLauncher(SandboxOptions options, PublicAddress address, TimeProvider clock)
{
    /// <summary>The key of the demo's only client, which has every permission.</summary>
    public const string ClientKey = "demo-key";

    private static readonly string[] Rights = ["read", "raw", "create", "delete", "assets", "purge"];

    /// <summary>Starts all gateways, or none: throws <see cref="StartException"/> if a port is not free.</summary>
    public IReadOnlyList<GatewayProcess> Launch(IReadOnlyList<DemoGateway> gateways)
    {
        foreach (var gateway in gateways)
        {
            RequireFreePort(gateway.Port);
            RequireFreePort(gateway.ManagementPort);
        }

        return [.. gateways.Select(Launch)];
    }

    private GatewayProcess Launch(DemoGateway gateway)
    {
        // The dotnet CLI sets this variable; dotnet need not be on the PATH.
        var dotnet = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        var start = new ProcessStartInfo(dotnet, [Path.Combine(AppContext.BaseDirectory, "LumaGateway.dll")])
        {
            WorkingDirectory = AppContext.BaseDirectory,
            RedirectStandardInput = true, // closing it stops the gateway: see StartupHook
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in Settings(gateway))
        {
            start.Environment[name] = value;
        }

        return GatewayProcess.Start(start, gateway, clock);
    }

    private IEnumerable<(string Name, string Value)> Settings(DemoGateway gateway) =>
    [
        ("ASPNETCORE_URLS", gateway.Address.AbsoluteUri),
        ("Management__Port", Text(gateway.ManagementPort)),
        ("Logging__Console__FormatterName", "simple"), // plain text instead of JSON
        ("DOTNET_STARTUP_HOOKS", typeof(StartupHook).Assembly.Location),
        ("Luma__BaseAddress", address.Value + gateway.Dialect.Root),
        ("Luma__Dialect", gateway.Dialect.Name),
        ("Luma__ApiKey", options.Token),
        ("Luma__BreakerMinimumCalls", "10000"), // so that ids with faults, tried by hand, do not open the circuit for all other ids
        ("Assets__AllowedHosts__0", new Uri(address.Value).Authority),
        ("Assets__AllowedNetworks__0", "127.0.0.0/8"),
        ("Assets__AllowedNetworks__1", "::1/128"),
        ("Assets__AllowHttp", "true"),
        ("Access__AllowAnonymous", "true"),
        ("Access__Clients__0__Name", "demo"),
        ("Access__Clients__0__KeySha256", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(ClientKey)))),
        .. Rights.Select((right, index) => ($"Access__Clients__0__Rights__{index}", right)),
    ];

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);

    // Checked before the start, because the gateway would report it with a stack trace.
    private static void RequireFreePort(int port)
    {
        foreach (var loopback in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback })
        {
            try
            {
                using var probe = new TcpListener(loopback, port);
                probe.Start();
            }
            catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
            {
                throw new StartException(
                    $"The gateway cannot listen on http://localhost:{port}: {exception.Message}. Choose another port with --gateway-port.",
                    exception);
            }
            catch (SocketException)
            {
                // No IPv6 on this machine; Kestrel accepts that too.
            }
        }
    }
}
