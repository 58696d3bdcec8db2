using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// A real load balancer with the repository's own configuration, in which addresses, ports and paths are changed, and what
/// <see cref="SuiteSettings.BalancerSettings"/> lists, but nothing else. Skips the running test where the machine lacks it.
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

    /// <summary>All that it said so far; it may say more meanwhile.</summary>
    public IEnumerable<string> Log => _process.Output.Concat(_process.Errors);

    /// <summary>What it wrote of requests and gateways that failed.</summary>
    public IEnumerable<string> Complaints => Log.Where(line => !line.Contains(" 200 ", StringComparison.Ordinal));

    /// <summary>What it says when it takes a gateway out.</summary>
    public string Ejecting => Program is Nginx ? "temporarily disabled" : "is DOWN";

    /// <param name="program"><see cref="Nginx"/> or <see cref="HAProxy"/>.</param>
    /// <param name="gateways">The loopback ports to share the requests out to.</param>
    public static Task<BalancerProcess> StartAsync(string program, IReadOnlyList<int> gateways)
    {
        Tool.Require(program);
        return FreePort.UseAsync(async port =>
        {
            var folder = Directory.CreateTempSubdirectory($"luma-{program}-");
            if (!OperatingSystem.IsWindows())
            {
                folder.UnixFileMode |= UnixFileMode.OtherExecute | UnixFileMode.OtherRead; // started by root, nginx works as somebody else
            }

            var certificates = new Certificates();
            var securePort = FreePort.Lasting();
            var files = new BalancerFiles(folder.FullName, certificates, port, securePort, gateways);
            var arguments = program is Nginx ? files.WriteNginxs() : files.WriteHAProxys();
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

    /// <summary>How many requests the gateway of a number answered with 200, as far as its log tells by now.</summary>
    public int AnsweredBy(int gateway)
    {
        // nginx names all gateways that it tried, the one that answered last; HAProxy that one alone.
        var answered = Program is Nginx
            ? new Regex($@""" 200 .*127\.0\.0\.1:{_gateways[gateway]}"" """)
            : new Regex($" gateways/gateway-{gateway + 1} [-+0-9/]+ 200 ");
        return Log.Count(answered.IsMatch);
    }

    /// <summary>Waits until every gateway has answered a request more than it has by now. Somebody must be asking.</summary>
    public async Task IsAnsweredByAllAsync()
    {
        var before = _gateways.Select((_, i) => AnsweredBy(i)).ToList();
        await Wait.UntilAsync(
            () => before.Select((count, i) => AnsweredBy(i) > count).All(more => more),
            () => $"{Program} does not ask every gateway.\n{string.Join('\n', Log.TakeLast(20))}");
    }

    /// <summary>A client that trusts its certificate.</summary>
    /// <param name="address">Where to.</param>
    /// <param name="version">The one HTTP version spoken.</param>
    /// <param name="connected">Called for each connection made.</param>
    /// <param name="from">The loopback address that connections come from; the usual one where it is null.</param>
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
            Timeout = Wait.Patience,
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
            return false; // not yet
        }
    }
}
