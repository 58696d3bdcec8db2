using System.Text.Json;
using LumaGateway.Problems;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.OpenApi;

public sealed class DocumentTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task The_slim_read_names_every_answer_that_it_can_give()
    {
        var operation = (await DocumentAsync()).GetProperty("paths").GetProperty("/generations/{id}").GetProperty("get");
        var answers = operation.GetProperty("responses");

        Assert.Equal(
            ["200", "304", "400", "401", "403", "404", "405", "429", "500", "502", "503", "504"],
            answers.EnumerateObject().Select(answer => answer.Name).Order());
        var upstream = ProblemKinds.All.Where(kind => kind.Code.StartsWith("upstream_", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(upstream);
        foreach (var kind in upstream)
        {
            var problem = answers.GetProperty($"{kind.Status}").GetProperty("content").GetProperty("application/problem+json");
            Assert.Equal("#/components/schemas/Problem", problem.GetProperty("schema").GetProperty("$ref").GetString());
            Assert.Equal(kind.Code, problem.GetProperty("examples").GetProperty(kind.Code).GetProperty("value").GetProperty("code").GetString());
        }
    }

    [Fact]
    public async Task The_examples_are_real_answers()
    {
        var examples = (await DocumentAsync()).GetProperty("paths").GetProperty("/generations/{id}").GetProperty("get")
            .GetProperty("responses").GetProperty("200").GetProperty("content").GetProperty("application/json").GetProperty("examples");

        var expected = JsonDocument.Parse(await File.ReadAllTextAsync("fixtures/relay/completed.expected.json", TestContext.Current.CancellationToken));
        Assert.True(JsonElement.DeepEquals(expected.RootElement, examples.GetProperty("completed").GetProperty("value")));
        Assert.Equal("processing", examples.GetProperty("processing").GetProperty("value").GetProperty("state").GetString());
        Assert.Equal("content_moderated", examples.GetProperty("failed").GetProperty("value").GetProperty("failure").GetProperty("code").GetString());
    }

    [Fact]
    public async Task The_generations_schema_has_the_names_that_are_sent_and_requires_them_all()
    {
        var schemas = (await DocumentAsync()).GetProperty("components").GetProperty("schemas");
        var generation = schemas.GetProperty("Generation");
        string[] keys = ["id", "state", "created_at", "model", "prompt", "aspect_ratio", "video", "image", "thumbnail", "last_frame", "failure", "expires_at"];

        Assert.Equal(keys, generation.GetProperty("properties").EnumerateObject().Select(property => property.Name));
        Assert.Equal(keys.Order(), generation.GetProperty("required").EnumerateArray().Select(name => name.GetString()!).Order());
        Assert.All(
            keys.Except(["id", "state"]),
            key => Assert.True(generation.GetProperty("properties").GetProperty(key).GetProperty("nullable").GetBoolean(), $"{key} may be null."));
        Assert.Equal(
            ["queued", "processing", "completed", "failed"],
            schemas.GetProperty("GenerationState").GetProperty("enum").EnumerateArray().Select(state => state.GetString()!));
    }

    [Fact]
    public async Task The_id_is_a_string_in_the_path_and_the_key_can_be_entered()
    {
        var document = await DocumentAsync();
        var operation = document.GetProperty("paths").GetProperty("/generations/{id}").GetProperty("get");

        var parameter = Assert.Single(operation.GetProperty("parameters").EnumerateArray(), one => one.GetProperty("in").GetString() is "path");
        Assert.Equal(("id", "path", "string"), (parameter.GetProperty("name").GetString(), parameter.GetProperty("in").GetString(), parameter.GetProperty("schema").GetProperty("type").GetString()));
        Assert.NotEmpty(operation.GetProperty("security").EnumerateArray());
        Assert.NotEqual("", operation.GetProperty("summary").GetString());
        Assert.Equal("apiKey", document.GetProperty("components").GetProperty("securitySchemes").GetProperty("client key").GetProperty("type").GetString());
    }

    [Fact]
    public async Task The_passthrough_is_documented_as_the_settings_list_it()
    {
        var paths = (await DocumentAsync()).GetProperty("paths");

        Assert.True(paths.GetProperty("/luma/generations/{id}").TryGetProperty("get", out _));
    }

    [Theory]
    [InlineData("/generations/{id}", "get", "Prefer")]
    [InlineData("/generations", "get", "ids")]
    [InlineData("/generations/{id}/events", "get", "Last-Event-ID")]
    [InlineData("/generations/events", "get", "ids")]
    [InlineData("/generations/events", "get", "Last-Event-ID")]
    [InlineData("/callbacks/luma/{secret}", "post", "secret")]
    public async Task What_is_read_by_hand_is_in_the_document_too(string path, string method, string parameter)
    {
        var operation = (await DocumentAsync()).GetProperty("paths").GetProperty(path).GetProperty(method);

        Assert.Contains(operation.GetProperty("parameters").EnumerateArray(), one => one.GetProperty("name").GetString() == parameter);
    }

    [Fact]
    public async Task Streams_and_several_at_once_have_examples()
    {
        var paths = (await DocumentAsync()).GetProperty("paths");

        var batch = Content("/generations", "application/json").GetProperty("examples").GetProperty("several").GetProperty("value").GetProperty("generations");
        Assert.Equal("generation_not_found", batch[1].GetProperty("problem").GetProperty("code").GetString());
        var one = Content("/generations/{id}/events", "text/event-stream").GetProperty("examples").GetProperty("event").GetProperty("value").GetString();
        Assert.StartsWith("event: generation\nid: ", one, StringComparison.Ordinal);

        JsonElement Content(string path, string type) => paths.GetProperty(path).GetProperty("get").GetProperty("responses").GetProperty("200").GetProperty("content").GetProperty(type);
    }

    private async Task<JsonElement> DocumentAsync()
    {
        using var stranger = _gateway.CreateStranger();
        using var response = await stranger.AskAsync("/openapi/v1.json");
        Assert.True(response.IsSuccessStatusCode);
        return await response.JsonAsync();
    }
}
