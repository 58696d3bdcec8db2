using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace LumaGateway.Bench;

/// <summary>
/// The servers of one part. Servers under test run on core 0, the load on core 1. The upstream and Redis run on core 2 if there is one, otherwise on
/// core 1 too. All stop on disposal.
/// </summary>
internal sealed partial class Lab : IAsyncDisposable
{
    /// <summary>Id of the relay's documented response.</summary>
    public const string SampleId = "4665a07c-7641-4809-a133-10786201bb56";

    public static readonly Dictionary<string, string> Commands = File.ReadLines("bench/candidates/commands")
        .Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split(' ', 2)).ToDictionary(words => words[0], words => words[1]);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("luma-bench-");
    private readonly List<Server> _servers = [];
    private readonly Dictionary<string, string> _values = []; // for @NAME@ in the files of bench/candidates
    private Server _upstream = null!;

    private Lab(BenchOptions options) => Options = options;

    public static int Cores { get; } = File.ReadLines("/proc/cpuinfo").Count(line => line.StartsWith("processor", StringComparison.Ordinal));

    /// <summary>The gateway's response body for <see cref="SampleId"/>.</summary>
    public static byte[] Slim { get; } = Fixture("completed.expected.json");

    /// <summary>The upstream's response body for <see cref="SampleId"/>.</summary>
    public static string Relay { get; } = Encoding.UTF8.GetString(Fixture("completed.json"));

    public BenchOptions Options { get; }

    /// <summary>All running servers except the upstream and Redis.</summary>
    public IEnumerable<Server> Tested => _servers.Skip(2);

    public static async Task<Lab> StartAsync(BenchOptions options)
    {
        var lab = new Lab(options);
        lab._folder.UnixFileMode |= UnixFileMode.OtherRead | UnixFileMode.OtherExecute; // nginx's worker runs as nobody
        lab._values["folder"] = lab._folder.FullName;
        lab._values["bench"] = Path.Combine(AppContext.BaseDirectory, "LumaGateway.Bench.dll");
        lab._values["slim"] = Encoding.UTF8.GetString(Slim);
        lab._values["relay"] = Relay.Replace(SampleId, "$id", StringComparison.Ordinal);
        await File.WriteAllBytesAsync(Path.Combine(lab._folder.FullName, "slim.json"), Slim);
        var cores = Cores > 2 ? "2" : "1";
        lab._upstream = await lab.StartAsync("upstream", cores: cores);
        lab._values["upstream"] = lab._upstream.Address.Authority;
        lab._values["redis"] = (await lab.StartAsync("redis", cores: cores)).Address.Authority;
        return lab;
    }

    /// <summary>Starts a server of <c>bench/candidates/commands</c>.</summary>
    /// <param name="settings">More settings of the gateway, as <c>KEY=VALUE</c> with spaces between.</param>
    public async Task<Server> StartAsync(string command, string settings = "", GatewayProgram? program = null, string cores = "0")
    {
        var port = FreePort();
        _values["port"] = $"{port}";
        _values["management"] = $"{FreePort()}";
        _values["program"] = program?.File ?? "";
        _values["settings"] = program is not null
            ? Fill(string.Join(' ', File.ReadLines("artifacts/bench/gateway.env").Where(line => line[0] != '#').Append(settings)))
            : Fill(settings);
        var server = await Server.StartAsync(port, cores, Fill(Commands[command]).Split(' ', StringSplitOptions.RemoveEmptyEntries));
        _servers.Add(server);
        return server;
    }

    /// <summary>
    /// Requests that the upstream got since its start, including a few of this method. Waits until requests that an earlier run left in flight have
    /// arrived, because wrk ends without their responses.
    /// </summary>
    public async Task<long> UpstreamRequestsAsync()
    {
        for (var last = 0L; ;)
        {
            var count = long.Parse(StubStatus().Match(await _upstream.Http.GetStringAsync(new Uri("/count", UriKind.Relative))).Groups[1].Value, CultureInfo.InvariantCulture);
            if (count == last + 1)
            {
                return count;
            }

            last = count;
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CancellationToken.None);
        }
    }

    public async Task StopAsync(params IEnumerable<Server> servers)
    {
        foreach (var server in servers.Reverse().ToList())
        {
            _servers.Remove(server);
            await server.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(_servers);
        _folder.Delete(recursive: true);
    }

    private static byte[] Fixture(string name) =>
        JsonSerializer.SerializeToUtf8Bytes(JsonNode.Parse(File.ReadAllText(Path.Combine("tests/LumaGateway.Tests/fixtures/relay", name))));

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Replaces each <c>@NAME@</c> by its value, or by the path of a filled copy if it is a file of bench/candidates.</summary>
    private string Fill(string text) => Placeholder().Replace(text, match =>
    {
        var name = match.Groups[1].Value;
        if (!name.Contains('.', StringComparison.Ordinal))
        {
            return _values[name];
        }

        var path = Path.Combine(_folder.FullName, $"{_values["port"]}-{name}");
        File.WriteAllText(path, Fill(File.ReadAllText(Path.Combine("bench/candidates", name))));
        return path;
    });

    [GeneratedRegex(@"@([a-z][\w.-]*)@")]
    private static partial Regex Placeholder();

    /// <summary>The third number of nginx's stub_status.</summary>
    [GeneratedRegex(@"^\s*\d+\s+\d+\s+(\d+)\s*$", RegexOptions.Multiline)]
    private static partial Regex StubStatus();
}
