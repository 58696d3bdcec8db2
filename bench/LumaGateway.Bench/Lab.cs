using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
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

    private static readonly Dictionary<string, string> Commands = File.ReadLines("bench/candidates/commands")
        .Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split(' ', 2)).ToDictionary(words => words[0], words => words[1]);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("luma-bench-");
    private readonly List<Server> _servers = [];
    private readonly Dictionary<string, string> _values = []; // for @NAME@ in the files of bench/candidates
    private Server _upstream = null!;

    private Lab(BenchOptions options) => Options = options;

    public static int Cores { get; } = File.ReadLines("/proc/cpuinfo").Count(line => line.StartsWith("processor", StringComparison.Ordinal));

    /// <summary>The gateway's response body for <see cref="SampleId"/>.</summary>
    public static byte[] Slim { get; } = Fixture("completed.expected.json");

    public BenchOptions Options { get; }

    /// <summary>All running servers except the upstream and Redis.</summary>
    public IEnumerable<Server> Tested => _servers.Skip(2);

    /// <summary>The JIT needs tens of seconds of load before a server is warm.</summary>
    public static bool IsJit(string command) => Commands[command].Contains("dotnet ", StringComparison.Ordinal);

    public static async Task<Lab> StartAsync(BenchOptions options)
    {
        var lab = new Lab(options);
        lab._folder.UnixFileMode |= UnixFileMode.OtherRead | UnixFileMode.OtherExecute; // nginx's worker runs as nobody
        lab._values["folder"] = lab._folder.FullName;
        lab._values["bench"] = Path.Combine(AppContext.BaseDirectory, "LumaGateway.Bench.dll");
        lab._values["gateway"] = options.Gateway;
        lab._values["before"] = options.Before ?? "";
        lab._values["slim"] = Encoding.UTF8.GetString(Slim);
        lab._values["relay"] = Encoding.UTF8.GetString(Fixture("completed.json")).Replace(SampleId, "$id", StringComparison.Ordinal);
        await File.WriteAllBytesAsync(Path.Combine(lab._folder.FullName, "slim.json"), Slim);
        await File.WriteAllBytesAsync(Path.Combine(lab._folder.FullName, "film.mp4"), RandomNumberGenerator.GetBytes(1024 * 1024));
        var cores = Cores > 2 ? "2" : "1";
        lab._upstream = await lab.StartAsync("upstream", cores: cores);
        lab._values["upstream"] = lab._upstream.Address.Authority;
        lab._values["upstreamport"] = $"{lab._upstream.Address.Port}";
        lab._values["redis"] = (await lab.StartAsync("redis", cores: cores)).Address.Authority;
        return lab;
    }

    /// <summary>Starts a server of <c>bench/candidates/commands</c>.</summary>
    /// <param name="settings">More settings of the gateway, as <c>KEY=VALUE</c> with spaces between.</param>
    public async Task<Server> StartAsync(string command, string settings = "", string cores = "0")
    {
        var port = FreePort();
        _values["port"] = $"{port}";
        _values["management"] = $"{FreePort()}";
        _values["settings"] = command.StartsWith("gateway", StringComparison.Ordinal)
            ? Fill(string.Join(' ', File.ReadLines("artifacts/bench/gateway.env").Where(line => line[0] != '#').Append(settings)))
            : Fill(settings);
        var server = await Server.StartAsync(port, cores, Fill(Commands[command]).Split(' ', StringSplitOptions.RemoveEmptyEntries));
        _servers.Add(server);
        return server;
    }

    /// <summary>Requests that the upstream got since its start, including those of this method.</summary>
    public async Task<long> UpstreamRequestsAsync() =>
        long.Parse(StubStatus().Match(await _upstream.Http.GetStringAsync(new Uri("/count", UriKind.Relative))).Groups[1].Value, CultureInfo.InvariantCulture);

    /// <summary>Waits until requests that an earlier run left in flight have arrived: wrk ends without their responses.</summary>
    public async Task<long> SettledUpstreamRequestsAsync()
    {
        for (var last = await UpstreamRequestsAsync(); ;)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CancellationToken.None);
            var now = await UpstreamRequestsAsync();
            if (now == last + 1)
            {
                return now;
            }

            last = now;
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
