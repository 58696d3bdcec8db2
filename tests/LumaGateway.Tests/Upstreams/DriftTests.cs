using System.Text.Json;
using LumaGateway.Tests.Support;
using LumaGateway.Upstreams;

namespace LumaGateway.Tests.Upstreams;

public sealed class DriftTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public static TheoryData<string> Fixtures =>
    [
        .. Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "fixtures"), "*.json", SearchOption.AllDirectories)
            .Where(file => !file.EndsWith(".expected.json", StringComparison.Ordinal))
            .Select(file => Path.GetRelativePath(Path.Combine(AppContext.BaseDirectory, "fixtures"), file).Replace('\\', '/')),
    ];

    public void Dispose() => _gateway.Dispose();

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void A_documented_response_has_no_unknown_fields_or_types(string fixture) =>
        Assert.Equal((false, false), Inspect(fixture.Split('/')[0], File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "fixtures", fixture))));

    [Theory]
    [InlineData("relay", """{"id":"g1","novelty":1}""", true, false)]
    [InlineData("relay", """{"id":"g1","video":{"url":"","novelty":1}}""", true, false)]
    [InlineData("new-api", """{"code":0,"data":[{"data":{"novelty":null}}]}""", true, false)]
    [InlineData("relay", """{"id":"g1","request":{"novelty":1},"metadata":{"novelty":1},"error":{"novelty":1}}""", false, false)]
    [InlineData("agents", """{"output":[{"type":"hologram","url":""}]}""", false, true)]
    [InlineData("dream-machine", """{"generation_type":"hologram"}""", false, true)]
    [InlineData("agents", """{"type":" VIDEO_EDIT "}""", false, false)]
    [InlineData("agents", """{"type":"\ud800","type":7}""", false, true)]
    [InlineData("dream-machine", """{"\ud800":1}""", true, false)]
    [InlineData("dream-machine", """{"result_url":""}""", true, false)]
    [InlineData("relay", "null", false, false)]
    public void Unknown_fields_and_types_are_found_outside_free_form_objects(string dialect, string body, bool field, bool type) =>
        Assert.Equal((field, type), Inspect(dialect, body));

    [Fact]
    public async Task Each_kind_is_counted_by_dialect_and_logged_once()
    {
        _gateway.Upstream.AlwaysJson("""{"id":"g1","state":"canary-state","novelty":"canary-value","type":"canary-type"}""");
        using var drift = _gateway.Collect<long>("luma_gateway.upstream.drift");
        using var caller = _gateway.CreateCaller();

        using var first = await caller.SendGetAsync("/generations/g1");
        _gateway.Clock.Advance(TimeSpan.FromSeconds(5));
        using var second = await caller.SendGetAsync("/generations/g1");

        var counted = drift.GetMeasurementSnapshot().Where(one => one.Value > 0).ToList();
        Assert.All(counted, one => Assert.Equal("relay", one.Tags["luma_gateway.upstream.dialect"]));
        Assert.Equal(["field", "type", "state", "field", "type", "state"], counted.Select(one => (string)one.Tags["luma_gateway.upstream.drift_kind"]!));
        var logged = _gateway.Logs.GetSnapshot().Where(one => one.Id.Id == 3031).Select(one => one.Message).ToList();
        Assert.Equal(3, logged.Count);
        Assert.DoesNotContain(logged, message => message.Contains("canary", StringComparison.Ordinal));
    }

    private static (bool Field, bool Type) Inspect(string dialect, string body)
    {
        using var document = JsonDocument.Parse(body);
        return DriftVocabulary.Of(dialect).Inspect(document.RootElement);
    }
}
