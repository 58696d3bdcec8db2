using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using LumaGateway.Sandbox.Dialects;

namespace LumaGateway.Sandbox.Gateway;

/// <summary>Starts the gateway that was built beside the sandbox as a separate process, configured by environment variables only.</summary>
internal sealed class GatewayLauncher(SandboxOptions options, PublicAddress address, DialectSet dialects, TimeProvider clock)
{
    /// <summary>The key of the demo's only client, which has every permission.</summary>
    public const string ClientKey = "demo-key";

    private static readonly string[] Rights = ["read", "raw", "create", "delete", "assets", "purge"];

    public static string AddressOf(SandboxOptions options) => $"http://localhost:{options.GatewayPort}";

    public GatewayProcess Launch()
    {
        RequireFreePort();

        // The dotnet CLI sets this variable; dotnet need not be on the PATH.
        var dotnet = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        var start = new ProcessStartInfo(dotnet, [Path.Combine(AppContext.BaseDirectory, "LumaGateway.dll")])
        {
            WorkingDirectory = AppContext.BaseDirectory,
            RedirectStandardInput = true, // closing it stops the gateway: see StartupHook
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in Settings())
        {
            start.Environment[name] = value;
        }

        return GatewayProcess.Start(start, new Uri(AddressOf(options)), clock);
    }

    private IEnumerable<(string Name, string Value)> Settings() =>
    [
        ("ASPNETCORE_URLS", AddressOf(options)),
        ("Logging__Console__FormatterName", "simple"), // plain text instead of JSON
        ("DOTNET_STARTUP_HOOKS", typeof(StartupHook).Assembly.Location),
        ("Luma__BaseAddress", address.Value + dialects.Named(options.Dialect).Root),
        ("Luma__Dialect", options.Dialect),
        ("Luma__ApiKey", options.Token),
        ("Access__AllowAnonymous", "true"),
        ("Access__Clients__0__Name", "demo"),
        ("Access__Clients__0__KeySha256", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(ClientKey)))),
        .. Rights.Select((right, index) => ($"Access__Clients__0__Rights__{index}", right)),
    ];

    // Checked before the start, because the gateway would report it with a stack trace.
    private void RequireFreePort()
    {
        foreach (var loopback in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback })
        {
            try
            {
                using var probe = new TcpListener(loopback, options.GatewayPort);
                probe.Start();
            }
            catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
            {
                throw new StartException(
                    $"The gateway cannot listen on {AddressOf(options)}: {exception.Message}. Choose another port with --gateway-port.",
                    exception);
            }
            catch (SocketException)
            {
                // No IPv6 on this machine; Kestrel accepts that too.
            }
        }
    }
}
