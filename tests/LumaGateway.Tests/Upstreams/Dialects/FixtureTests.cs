using System.Net;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Upstreams.Dialects;

/// <summary>
/// Compares the generations of all fixtures with their <c>.expected.json</c>. Reads files only. With <c>WRITE_EXPECTED=1</c> in the environment it completes every
/// <c>expected.json</c> that has only an <c>id</c>, in the sources, and fails for it.
/// </summary>
public sealed class FixtureTests
{
    private static readonly bool IsWriting = Environment.GetEnvironmentVariable("WRITE_EXPECTED") is "1";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly string Root = Path.Combine(AppContext.BaseDirectory, "fixtures");

    public static TheoryData<string> Readable =>
        [.. Cases().Where(name => File.Exists(PathOf(name, ".expected.json")))];

    public static TheoryData<string> Rejected =>
        [.. Cases().Where(name => !File.Exists(PathOf(name, ".expected.json")))];

    [Theory]
    [MemberData(nameof(Readable))]
    public void A_fixture_is_read_as_its_expected_generation(string name)
    {
        var expected = JsonNode.Parse(File.ReadAllText(PathOf(name, ".expected.json")))!;

        var generation = Dialect.Read(
            DialectOf(name), File.ReadAllText(PathOf(name, ".json")), expected["id"]!.GetValue<string>());

        var written = JsonSerializer.Serialize(generation, ContractsJson.Web.Generation);
        if (IsWriting && expected.AsObject().Count == 1)
        {
            var source = Path.Combine(Repository.Root, "tests/LumaGateway.Tests/fixtures", name + ".expected.json");
            File.WriteAllText(source, JsonNode.Parse(written)!.ToJsonString(Indented) + "\n");
            Assert.Fail($"{source} is written from the code. Compare every member with the upstream's documentation before you commit it.");
        }

        Assert.True(JsonNode.DeepEquals(expected, JsonNode.Parse(written)), $"{name} was read as {written}");
        Assert.Equal(expected.AsObject().Select(member => member.Key), JsonNode.Parse(written)!.AsObject().Select(member => member.Key));
    }

    [Fact]
    public void Every_dialect_has_readable_fixtures() =>
        Assert.Equal(
            Dialect.All.Select(dialect => dialect.Name).Order(),
            Readable.Select(row => DialectOf(row.Data)).Distinct().Order());

    [Fact]
    public void The_only_rejected_fixture_is_an_unknown_id_of_a_new_api_relay()
    {
        var name = Assert.Single(Rejected).Data;

        var exception = Dialect.ReadFault(DialectOf(name), File.ReadAllText(PathOf(name, ".json")), HttpStatusCode.BadRequest);

        Assert.Equal("new-api/not-found", name);
        Assert.Equal(UpstreamFault.NotFound, exception.Fault);
    }

    private static IEnumerable<string> Cases() =>
        Dialect.All
            .Select(dialect => Path.Combine(Root, dialect.Name))
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.json", SearchOption.AllDirectories))
            .Where(file => !file.EndsWith(".expected.json", StringComparison.Ordinal))
            .Select(file => Path.GetRelativePath(Root, file)[..^".json".Length].Replace('\\', '/'));

    private static string DialectOf(string name) => name[..name.IndexOf('/', StringComparison.Ordinal)];

    private static string PathOf(string name, string ending) => Path.Combine(Root, name + ending);
}
