using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using BenchmarkDotNet.Attributes;
using LumaGateway.Contracts;
using LumaGateway.Upstreams;
using LumaGateway.Upstreams.Dialects;

namespace LumaGateway.Benchmarks;

/// <summary>From an upstream's bytes to the generation that is published, and from there to the bytes that are kept.</summary>
public class DialectBenchmarks
{
    private static readonly IUpstreamDialect[] Dialects =
        [new RelayDialect(), new DreamMachineDialect(), new AgentsDialect(), new NewApiDialect(), new PiApiDialect()];

    private IUpstreamDialect _dialect = null!;
    private GenerationId _id;
    private byte[] _body = null!;
    private Generation _generation = null!;

    [Params("relay/completed", "dream-machine/completed", "agents/completed", "new-api/in-progress", "piapi/completed")]
    public string Fixture { get; set; } = "";

    [GlobalSetup]
    public void Load()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "fixtures", Fixture);
        _dialect = Dialects.Single(dialect => Fixture.StartsWith(dialect.Name + '/', StringComparison.Ordinal));
        _id = GenerationId.Parse(JsonNode.Parse(File.ReadAllText(path + ".expected.json"))!["id"]!.GetValue<string>(), provider: null);
        _body = File.ReadAllBytes(path + ".json");
        _generation = Reading().Generation;
    }

    [Benchmark]
    public object Read() => Reading().Generation;

    [Benchmark]
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(_generation, ContractsJson.Web.Generation);

    private DialectResult Reading()
    {
        using var document = JsonDocument.Parse(_body);
        return _dialect.Read(_id, HttpStatusCode.OK, document.RootElement);
    }
}
