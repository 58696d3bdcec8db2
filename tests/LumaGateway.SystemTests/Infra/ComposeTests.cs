using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace LumaGateway.SystemTests.Infra;

/// <summary><c>infra/compose.yaml</c>, as far as it can be told wrong without a Docker engine. Needs nothing.</summary>
public sealed class ComposeTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "infra");
    private static readonly Compose File = new DeserializerBuilder().IgnoreUnmatchedProperties().Build()
        .Deserialize<Compose>(new MergingParser(new Parser(new StringReader(System.IO.File.ReadAllText(Path.Combine(Folder, "compose.yaml"))))));

    [Fact]
    public void Every_file_that_is_mounted_is_there() => Assert.All(
        Some(File.Services.Values.SelectMany(service => service.Volumes).Where(volume => volume[0] is '.' or '$')), // the others are named volumes
        volume =>
        {
            var source = volume.StartsWith("${", StringComparison.Ordinal) ? volume.Split(":-")[1].Split('}')[0] : volume.Split(':')[0];
            Assert.True(Path.Exists(Path.Combine(Folder, source)), $"{volume} is mounted but not there.");
        });

    [Fact]
    public void Every_setting_of_ours_is_one_that_is_read() => Assert.All(
        Some(File.Services.Where(service => service.Value.Build is not null).SelectMany(service => service.Value.Environment.Keys)),
        name => Assert.True(KnownSettings.Hold(name), $"Nobody reads {name}."));

    [Fact]
    public void A_setting_that_nobody_reads_is_told() => Assert.All(
        ["Luma__Typo", "Access__Clients__x__Name", "Access__Clients__0__Typo", "Typo__ApiKey", "Luma"],
        name => Assert.False(KnownSettings.Hold(name), $"{name} is not a setting."));

    [Fact]
    public void Every_stage_that_is_built_is_in_the_Dockerfile() => Assert.All(
        Some(File.Services.Values.Select(service => service.Build?.Target).OfType<string>()),
        target => Assert.Contains(Dockerfile.Read().Stages, stage => stage.Name == target));

    /// <summary>nginx looks a name up once: a gateway that came back under another address would be lost to it.</summary>
    [Fact]
    public void A_gateway_that_is_started_again_is_where_it_was() => Assert.All(
        Some(File.Services.Where(service => service.Value.Environment.ContainsKey("Management__Port"))),
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
    public void Every_Redis_asks_for_a_password_which_its_health_check_and_the_gateways_have()
    {
        var servers = Some(File.Services.Where(service => service.Value.Command is ["redis-server", ..]));

        Assert.All(servers, server =>
        {
            var password = server.Value.Command[server.Value.Command.IndexOf("--requirepass") + 1];
            Assert.Matches("^[$]{[A-Z_]+:-[^,]+}$", password);
            Assert.Equal(password, server.Value.Environment["REDISCLI_AUTH"]);
            Assert.All(
                Some(File.Services.Values.SelectMany(service => service.Environment.Values).Where(value => value.StartsWith($"{server.Key}:6379", StringComparison.Ordinal))),
                connection => Assert.Equal($"{server.Key}:6379,password={password}", connection));
        });
    }

    /// <summary>What is looked at, of which there must be some.</summary>
    private static List<T> Some<T>(IEnumerable<T> found)
    {
        var all = found.ToList();
        Assert.NotEmpty(all);
        return all;
    }

    private sealed class Compose
    {
        /// <summary>What all gateways have in common: an alias is only known where its anchor was read.</summary>
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

        [YamlMember(Alias = "volumes")]
        public List<string> Volumes { get; set; } = [];
    }

    private sealed class Build
    {
        [YamlMember(Alias = "target")]
        public string? Target { get; set; }
    }
}
