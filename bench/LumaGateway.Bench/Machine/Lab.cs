using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LumaGateway.Bench.Baselines;

namespace LumaGateway.Bench.Machine;

/// <summary>One part's servers: the upstream from the beginning, the rest as they are asked for; all end with it.</summary>
internal sealed class Lab : IAsyncDisposable
{
    /// <summary>The id whose answer every cache is filled with.</summary>
    public const string SampleId = "4665a07c-7641-4809-a133-10786201bb56";

    /// <summary>The id whose video is a real file, of so many bytes.</summary>
    public const string FilmId = "film";

    public const int FilmBytes = 1024 * 1024;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("luma-bench-");
    private readonly List<ServerProcess> _processes = [];

    private Lab(Plan plan) => Plan = plan;

    public Plan Plan { get; }

    public Origin Origin { get; private set; } = null!;

    /// <summary>The slim answer to <see cref="SampleId"/>: what every cache answers with.</summary>
    public byte[] Slim { get; } = Compact("completed.expected.json");

    private string SlimFile => Path.Combine(_folder.FullName, "slim.json");

    public static async Task<Lab> OpenAsync(Plan plan)
    {
        var lab = new Lab(plan);
        try
        {
            lab._folder.UnixFileMode |= UnixFileMode.OtherRead | UnixFileMode.OtherExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute; // nginx's worker is nobody
            await File.WriteAllBytesAsync(lab.SlimFile, lab.Slim);
            await File.WriteAllBytesAsync(Path.Combine(lab._folder.FullName, "film.mp4"), RandomNumberGenerator.GetBytes(FilmBytes));
            var relay = Encoding.UTF8.GetString(Compact("completed.json")).Replace(SampleId, "$id", StringComparison.Ordinal);
            var (port, file) = lab.Configured("origin.conf", ("relay", relay), ("slim", Encoding.UTF8.GetString(lab.Slim)));
            lab.Origin = new Origin(await lab.StartAsync("upstream", port, Core(Cores.Origin), ["nginx", "-p", lab._folder.FullName, "-c", file]));
            return lab;
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    /// <summary>The gateway as its image runs it, with one client, its limits on and its metrics collected.</summary>
    public async Task<Server> GatewayAsync(GatewaySettings? settings = null)
    {
        var (port, managementPort) = (FreePort.Lasting(), FreePort.Lasting());
        settings ??= new GatewaySettings();
        return await StartAsync("gateway", port, settings.Cores ?? Core(Cores.Server), settings.Command, settings.Environment(Origin.Server.Address, port, managementPort));
    }

    public Task<Server> BaselineAsync(string baseline, string argument) => StartBaselineAsync(baseline, argument, environment: null);

    public Task<Server> KestrelAsync() => BaselineAsync(Baseline.Kestrel, SlimFile);

    public Task<Server> TunedKestrelAsync() =>
        StartBaselineAsync(Baseline.Tuned, SlimFile, new Dictionary<string, string> { ["DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"] = "1" });

    /// <summary>nginx as a cache and as a proxy; as a balancer on <paramref name="balancer"/>, if there are replicas.</summary>
    public async Task<Server> NginxAsync(int balancer = 0, params IReadOnlyList<Server> replicas)
    {
        var (port, file) = Configured(
            "nginx.conf",
            ("balancer", $"{(balancer > 0 ? balancer : FreePort.Lasting())}"),
            ("replicas", string.Join("; server ", replicas.Append(Origin.Server).Take(Math.Max(1, replicas.Count)).Select(replica => $"127.0.0.1:{replica.Port}"))));
        return await StartAsync("nginx", port, Core(Cores.Server), ["nginx", "-p", _folder.FullName, "-c", file]);
    }

    public async Task<Server> HaproxyAsync()
    {
        var (port, file) = Configured("haproxy.cfg");
        return await StartAsync("HAProxy", port, Core(Cores.Server), ["haproxy", "-db", "-f", file]);
    }

    public async Task<Server> VarnishAsync()
    {
        var (port, file) = Configured("varnish.vcl");
        return await StartAsync(
            "Varnish", port, Core(Cores.Server), ["varnishd", "-F", "-j", "none", "-a", $"127.0.0.1:{port}", "-T", "none", "-f", file, "-n", Path.Combine(_folder.FullName, "varnish"), "-s", "malloc,64m"]);
    }

    public async Task<Server> RedisAsync()
    {
        var port = FreePort.Lasting();
        return await StartAsync(
            "Redis", port, Core(Cores.Origin), ["redis-server", "--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", _folder.FullName]);
    }

    public async ValueTask DisposeAsync()
    {
        Origin?.Dispose();
        foreach (var process in Enumerable.Reverse(_processes))
        {
            await process.DisposeAsync();
        }

        _folder.Delete(recursive: true);
    }

    /// <summary>Ends one before its time.</summary>
    public async Task StopAsync(Server server)
    {
        _processes.Remove(server.Process);
        await server.Process.DisposeAsync();
    }

    private static byte[] Compact(string fixture)
    {
        var text = File.ReadAllText(Path.Combine(Plan.Root, "tests/LumaGateway.Tests/fixtures/relay", fixture));
        return JsonSerializer.SerializeToUtf8Bytes(JsonNode.Parse(text));
    }

    private static string Core(int core) => core.ToString(CultureInfo.InvariantCulture);

    private Task<Server> StartBaselineAsync(string baseline, string argument, Dictionary<string, string>? environment)
    {
        var port = FreePort.Lasting();
        var program = Path.Combine(AppContext.BaseDirectory, "LumaGateway.Bench.dll");
        return StartAsync(baseline, port, Core(Cores.Server), ["dotnet", program, "serve", baseline, $"{port}", argument], environment);
    }

    private async Task<Server> StartAsync(
        string name, int port, string cores, IReadOnlyList<string> command, IEnumerable<KeyValuePair<string, string>>? environment = null)
    {
        var process = await ServerProcess.StartAsync(cores, port, command, environment);
        _processes.Add(process);
        return new Server(name, port, process);
    }

    /// <summary>Fills in one of <c>bench/candidates</c>, with a port of its own.</summary>
    private (int Port, string File) Configured(string template, params IEnumerable<(string Name, string Value)> values)
    {
        var port = FreePort.Lasting();
        var text = File.ReadAllText(Path.Combine(Plan.Root, "bench/candidates", template))
            .Replace("@port@", $"{port}", StringComparison.Ordinal)
            .Replace("@folder@", _folder.FullName, StringComparison.Ordinal);
        if (Origin is not null)
        {
            text = text.Replace("@origin@", $"127.0.0.1:{Origin.Server.Port}", StringComparison.Ordinal).Replace("@originport@", $"{Origin.Server.Port}", StringComparison.Ordinal);
        }

        var file = Path.Combine(_folder.FullName, template);
        File.WriteAllText(file, values.Aggregate(text, (filled, value) => filled.Replace($"@{value.Name}@", value.Value, StringComparison.Ordinal)));
        return (port, file);
    }
}
