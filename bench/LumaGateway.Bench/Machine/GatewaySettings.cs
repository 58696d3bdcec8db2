using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace LumaGateway.Bench.Machine;

/// <summary>How one gateway is set up: limits on but out of reach, metrics collected, a key asked for.</summary>
internal sealed partial record GatewaySettings
{
    /// <summary>The largest that <c>Limits:RequestsPerSecond</c> takes: checked on every request, reached by none.</summary>
    private const int OutOfReach = 1_000_000;

    private static readonly string[] Rights = ["read", "raw", "assets"];

    /// <summary>What <c>bench/run</c> published as the Dockerfile does: a native program.</summary>
    public static string NativeFolder { get; } = Path.Combine(Plan.Artifacts, "gateway");

    /// <summary>The same sources as an assembly, which the JIT compiles as it runs.</summary>
    private static string JitFolder { get; } = Path.Combine(Plan.Artifacts, "gateway-jit");

    /// <summary>The assembly in the place of the native program.</summary>
    public bool IsJit { get; init; }

    public IReadOnlyList<string> Command => IsJit ? ["dotnet", Path.Combine(JitFolder, "LumaGateway.dll")] : [Path.Combine(NativeFolder, "LumaGateway")];

    /// <summary>Keys are <c>key-0</c> to one less than this.</summary>
    public int Clients { get; init; } = 1;

    /// <summary>A StackExchange.Redis configuration; empty for memory alone.</summary>
    public string Redis { get; init; } = "";

    public long MemoryBytes { get; init; } = 128 * 1024 * 1024;

    /// <summary>As taskset takes them; null for the server's own.</summary>
    public string? Cores { get; init; }

    public Dictionary<string, string> Environment(Uri origin, int port, int managementPort)
    {
        var dockerfile = File.ReadAllText(Path.Combine(Plan.Root, "Dockerfile"));
        var environment = ImageVariable().Matches(dockerfile[dockerfile.LastIndexOf("\nFROM ", StringComparison.Ordinal)..])
            .ToDictionary(match => match.Groups["name"].Value, match => match.Groups["value"].Value);
        environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}";
        environment["ASPNETCORE_ENVIRONMENT"] = WriteClients();
        environment["Management__Port"] = $"{managementPort}";
        environment["Luma__BaseAddress"] = new Uri(origin, "/luma").ToString();
        environment["Luma__ApiKey"] = "upstream-token";
        environment["Luma__Name"] = "bench";
        environment["Luma__MaxPollsPerSecond"] = "100";
        environment["Cache__MemoryBytes"] = MemoryBytes.ToString(CultureInfo.InvariantCulture);
        environment["ConnectionStrings__Redis"] = Redis;
        environment["Limits__RequestsPerSecond"] = environment["Limits__Burst"] = $"{OutOfReach}";
        environment["Limits__Upstream__Concurrency"] = "1000";
        environment["Assets__AllowedHosts__0"] = origin.Authority;
        environment["Assets__AllowedNetworks__0"] = "127.0.0.0/8";
        environment["Assets__AllowHttp"] = "true";
        return environment;
    }

    /// <summary>Writes the clients into a settings file beside the gateway, and gives the environment that makes the gateway read it.</summary>
    private string WriteClients()
    {
        var name = $"Bench{Clients}";
        var clients = Enumerable.Range(0, Clients).Select(index => new
        {
            Name = $"client-{index}",
            KeySha256 = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"key-{index}"))),
            Rights,
        });
        File.WriteAllBytes(Path.Combine(IsJit ? JitFolder : NativeFolder, $"appsettings.{name}.json"), JsonSerializer.SerializeToUtf8Bytes(new { Access = new { Clients = clients } }));
        return name;
    }

    /// <summary>Settings of the runtime that the image has: its stage is the last one.</summary>
    [GeneratedRegex(@"(?<name>DOTNET_\w+)=(?<value>\S+)")]
    private static partial Regex ImageVariable();
}
