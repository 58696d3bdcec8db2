using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace LumaGateway.SystemTests.Infra;

/// <summary>Checks <c>infra/compose.yaml</c> without a Docker engine.</summary>
public sealed class ComposeTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "infra");
    private static readonly Compose File = new DeserializerBuilder().IgnoreUnmatchedProperties().Build()
        .Deserialize<Compose>(new MergingParser(new Parser(new StringReader(System.IO.File.ReadAllText(Path.Combine(Folder, "compose.yaml"))))));

    [Fact]
    public void Every_mounted_file_exists() => Assert.All(
        NotEmpty(File.Services.Values.SelectMany(service => service.Volumes).Where(volume => volume[0] is '.' or '$')), // the others are named volumes
        volume =>
        {
            var source = volume.StartsWith("${", StringComparison.Ordinal) ? volume.Split(":-")[1].Split('}')[0] : volume.Split(':')[0];
            Assert.True(Path.Exists(Path.Combine(Folder, source)), $"{volume} is mounted but does not exist.");
        });

    [Fact]
    public void Every_setting_exists() => Assert.All(
        NotEmpty(File.Services.Where(service => service.Value.Build is not null).SelectMany(service => service.Value.Environment.Keys)),
        name => Assert.True(KnownSettings.Contains(name), $"{name} is not a setting."));

    [Fact]
    public void An_unknown_setting_is_found() => Assert.All(
        ["Luma__Typo", "Access__Clients__x__Name", "Access__Clients__0__Typo", "Typo__ApiKey", "Luma"],
        name => Assert.False(KnownSettings.Contains(name), $"{name} is not a setting."));

    [Fact]
    public void Every_build_target_is_a_stage_of_the_Dockerfile() => Assert.All(
        NotEmpty(File.Services.Values.Select(service => service.Build?.Target).OfType<string>()),
        target => Assert.Contains(Dockerfile.Read().Stages, stage => stage.Name == target));

    /// <summary>The gateway and the sandbox write large request bodies there.</summary>
    [Fact]
    public void Every_program_on_a_read_only_file_system_has_a_writable_tmp() => Assert.All(
        NotEmpty(File.Services.Where(service => service.Value is { Build: not null, ReadOnly: true })),
        service => Assert.Contains(service.Value.Tmpfs, mount => mount.Split(':')[0] is "/tmp"));

    /// <summary>nginx resolves a name once, so a gateway must keep its address.</summary>
    [Fact]
    public void Every_gateway_has_a_fixed_address() => Assert.All(
        NotEmpty(File.Services.Where(service => service.Value.Environment.ContainsKey("Management__Port"))),
        gateway => Assert.Matches(@"^172\.28\.0\.1\d$", gateway.Value.Networks["default"]["ipv4_address"]));

    [Fact]
    public void Prometheus_scrapes_every_gateway_at_its_management_port()
    {
        var scraped = System.IO.File.ReadAllText(Path.Combine(Folder, "prometheus", "prometheus.yml"));
        var gateways = File.Services.Where(service => service.Value.Environment.ContainsKey("Management__Port"));

        Assert.NotEmpty(gateways);
        Assert.All(gateways, gateway => Assert.Contains($"{gateway.Key}:{gateway.Value.Environment["Management__Port"]}", scraped, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_Redis_requires_a_password_that_its_health_check_and_the_gateways_use()
    {
        var servers = NotEmpty(File.Services.Where(service => service.Value.Command is ["redis-server", ..]));

        Assert.All(servers, server =>
        {
            var password = server.Value.Command[server.Value.Command.IndexOf("--requirepass") + 1];
            Assert.Matches("^[$]{[A-Z_]+:-[^,]+}$", password);
            Assert.Equal(password, server.Value.Environment["REDISCLI_AUTH"]);
            Assert.All(
                NotEmpty(File.Services.Values.SelectMany(service => service.Environment.Values).Where(value => value.StartsWith($"{server.Key}:6379", StringComparison.Ordinal))),
                connection => Assert.Equal($"{server.Key}:6379,password={password}", connection));
        });
    }

    /// <summary>Returns the items. Fails if there are none.</summary>
    private static List<T> NotEmpty<T>(IEnumerable<T> found)
    {
        var all = found.ToList();
        Assert.NotEmpty(all);
        return all;
    }

    private sealed class Compose
    {
        /// <summary>The common part of all gateways. It must be read, because services refer to it by an alias.</summary>
        [YamlMember(Alias = "x-gateway")]
        public Service? Gateway { get; set; }

        [YamlMember(Alias = "services")]
        public Dictionary<string, Service> Services { get; set; } = [];
    }

    private sealed class Service
    {
        [YamlMember(Alias = "build")]
        public Build? Build { get; set; }

        [YamlMember(Alias = "command")]
        public List<string> Command { get; set; } = [];

        [YamlMember(Alias = "environment")]
        public Dictionary<string, string> Environment { get; set; } = [];

        [YamlMember(Alias = "networks")]
        public Dictionary<string, Dictionary<string, string>> Networks { get; set; } = [];

        [YamlMember(Alias = "read_only")]
        public bool ReadOnly { get; set; }

        [YamlMember(Alias = "tmpfs")]
        public List<string> Tmpfs { get; set; } = [];

        [YamlMember(Alias = "volumes")]
        public List<string> Volumes { get; set; } = [];
    }

    private sealed class Build
    {
        [YamlMember(Alias = "target")]
        public string? Target { get; set; }
    }
}
