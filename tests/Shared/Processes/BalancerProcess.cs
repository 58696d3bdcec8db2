using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// A load balancer with the configuration of infra/, as changed by <see cref="BalancerFiles"/>. Skips the running test if the balancer is not installed.
/// </summary>
internal sealed class BalancerProcess : IAsyncDisposable
{
    public const string Nginx = "nginx";
    public const string HAProxy = "haproxy";

    private readonly ChildProcess _process;
    private readonly DirectoryInfo _folder;
    private readonly Certificates _certificates;

    private readonly IReadOnlyList<int> _gateways;

    private BalancerProcess(
        string program, IReadOnlyList<int> gateways, ChildProcess process, DirectoryInfo folder, Certificates certificates, int port, int securePort)
    {
        (Program, _gateways, _process, _folder, _certificates) = (program, gateways, process, folder, certificates);
        Address = new Uri($"http://127.0.0.1:{port}");
        SecureAddress = new Uri($"https://localhost:{securePort}");
    }

    public string Program { get; }

    public Uri Address { get; }

    public Uri SecureAddress { get; }

    /// <summary>The lines written so far.</summary>
    public IEnumerable<string> Log => _process.Output.Concat(_process.Errors);

    /// <summary>The log lines about failed requests and gateways.</summary>
    public IEnumerable<string> FailureLines => Log.Where(line => !line.Contains(" 200 ", StringComparison.Ordinal));

    /// <summary>The text in its log line when it removes a gateway.</summary>
    public string EjectionMessage => Program is Nginx ? "temporarily disabled" : "is DOWN";

    /// <param name="program"><see cref="Nginx"/> or <see cref="HAProxy"/>.</param>
    /// <param name="gateways">The loopback ports of the gateways.</param>
    public static Task<BalancerProcess> StartAsync(string program, IReadOnlyList<int> gateways)
    {
        Tool.Require(program);
        return FreePort.UseAsync(async port =>
        {
            var folder = Directory.CreateTempSubdirectory($"luma-{program}-");
            if (!OperatingSystem.IsWindows())
            {
                folder.UnixFileMode |= UnixFileMode.OtherExecute | UnixFileMode.OtherRead; // the workers of nginx run as another user if root starts it
            }

            var certificates = new Certificates();
            var securePort = FreePort.Reserve();
            var files = new BalancerFiles(folder.FullName, certificates, port, securePort, gateways);
            var arguments = program is Nginx ? files.WriteNginx() : files.WriteHAProxy();
            var balancer = new BalancerProcess(program, gateways, ChildProcess.Start(Tool.Find(program)!, arguments), folder, certificates, port, securePort);
            try
            {
                await Wait.UntilAsync(balancer.ListensAsync, () => $"{program} does not listen.\n{string.Join('\n', balancer.Log)}");
                return balancer;
            }
            catch
            {
                await balancer.DisposeAsync();
                throw;
            }
        });
    }

    /// <summary>The number of 200 responses of a gateway in the log so far.</summary>
    public int ResponsesOf(int gateway)
    {
        // nginx logs all gateways that it tried, the responding one last; HAProxy logs only the responding one.
        var response = Program is Nginx
            ? new Regex($@""" 200 .*127\.0\.0\.1:{_gateways[gateway]}"" """)
            : new Regex($" gateways/gateway-{gateway + 1} [-+0-9/]+ 200 ");
        return Log.Count(response.IsMatch);
    }

    /// <summary>Waits until every gateway has sent one more response. The test must send requests meanwhile.</summary>
    public async Task WaitForAllGatewaysAsync()
    {
        var before = _gateways.Select((_, i) => ResponsesOf(i)).ToList();
        await Wait.UntilAsync(
            () => before.Select((count, i) => ResponsesOf(i) > count).All(more => more),
            () => $"{Program} does not send requests to every gateway.\n{string.Join('\n', Log.TakeLast(20))}");
    }

    /// <summary>A client that trusts its certificate.</summary>
    /// <param name="address">The base address.</param>
    /// <param name="version">The HTTP version.</param>
    /// <param name="connected">Called for each new connection.</param>
    /// <param name="from">The local address of connections; null for the default.</param>
    public HttpClient CreateClient(Uri address, Version version, Action? connected = null, IPAddress? from = null)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            MaxConnectionsPerServer = 4096,
            ConnectCallback = async (context, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                if (from is not null)
                {
                    socket.Bind(new IPEndPoint(from, 0));
                }

                await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellationToken);
                connected?.Invoke();
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            CustomTrustStore = { X509CertificateLoader.LoadCertificateFromFile(_certificates.Authority) },
        };
        var client = new HttpClient(handler)
        {
            BaseAddress = address,
            Timeout = Wait.Timeout,
            DefaultRequestVersion = version,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        client.DefaultRequestHeaders.Add("X-Api-Key", GatewayProcess.ClientKey);
        return client;
    }

    public HttpClient CreateClient() => CreateClient(Address, HttpVersion.Version11);

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _certificates.Dispose();
        _folder.Delete(recursive: true);
    }

    private async Task<bool> ListensAsync()
    {
        _process.AssertRuns();
        try
        {
            using var probe = new TcpClient();
            await probe.ConnectAsync(IPAddress.Loopback, Address.Port, TestContext.Current.CancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
