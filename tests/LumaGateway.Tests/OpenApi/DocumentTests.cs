using System.Text.Json;
using LumaGateway.Problems;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.OpenApi;

/// <summary>The OpenAPI document.</summary>
public sealed class DocumentTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task The_read_lists_every_possible_response()
    {
        var operation = (await DocumentAsync()).GetProperty("paths").GetProperty("/generations/{id}").GetProperty("get");
        var responses = operation.GetProperty("responses");

        Assert.Equal(
            ["200", "304", "400", "401", "403", "404", "405", "429", "500", "502", "503", "504"],
            responses.EnumerateObject().Select(response => response.Name).Order());
        var upstream = ProblemKinds.All.Where(kind => kind.Code.StartsWith("upstream_", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(upstream);
        foreach (var kind in upstream)
        {
            var problem = responses.GetProperty($"{kind.Status}").GetProperty("content").GetProperty("application/problem+json");
            Assert.Equal("#/components/schemas/Problem", problem.GetProperty("schema").GetProperty("$ref").GetString());
            Assert.Equal(kind.Code, problem.GetProperty("examples").GetProperty(kind.Code).GetProperty("value").GetProperty("code").GetString());
        }
    }

    [Theory]
    [InlineData("/generations", "invalid_request", "200 400 401 403 405 429 500 503")]
    [InlineData("/generations/events", "invalid_request invalid_id", "200 204 400 401 403 404 405 429 500 502 503 504")]
    [InlineData("/generations/{id}/events", "invalid_id", "200 204 400 401 403 404 405 429 500 502 503 504")]
    public async Task A_read_of_several_generations_lists_its_own_problems(string path, string badRequest, string statuses)
    {
        var responses = (await DocumentAsync()).GetProperty("paths").GetProperty(path).GetProperty("get").GetProperty("responses");

        var examples = responses.GetProperty("400").GetProperty("content").GetProperty("application/problem+json").GetProperty("examples");
        Assert.Equal(badRequest.Split(' '), examples.EnumerateObject().Select(example => example.Name));
        Assert.Equal(statuses.Split(' '), responses.EnumerateObject().Select(response => response.Name).Order());
    }

    [Fact]
    public async Task The_examples_equal_real_responses()
    {
        var examples = (await DocumentAsync()).GetProperty("paths").GetProperty("/generations/{id}").GetProperty("get")
            .GetProperty("responses").GetProperty("200").GetProperty("content").GetProperty("application/json").GetProperty("examples");

        var expected = JsonDocument.Parse(await File.ReadAllTextAsync("fixtures/relay/completed.expected.json", TestContext.Current.CancellationToken));
        Assert.True(JsonElement.DeepEquals(expected.RootElement, examples.GetProperty("completed").GetProperty("value")));
        Assert.Equal("processing", examples.GetProperty("processing").GetProperty("value").GetProperty("state").GetString());
        Assert.Equal("content_moderated", examples.GetProperty("failed").GetProperty("value").GetProperty("failure").GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("/luma/files", "get post")]
    [InlineData("/luma/files/{id}", "delete get head")]
    [InlineData("/luma/files/{id}/complete", "post")]
    [InlineData("/luma/usage", "get")]
    public async Task The_routes_of_the_Agents_API_are_described(string path, string methods)
    {
        var item = (await DocumentAsync()).GetProperty("paths").GetProperty(path);

        Assert.Equal(methods.Split(' '), item.EnumerateObject().Select(operation => operation.Name).Order());
        if (path == "/luma/files")
        {
            string[] types = [.. item.GetProperty("post").GetProperty("requestBody").GetProperty("content").EnumerateObject().Select(type => type.Name)];
            Assert.Equal(["application/json", "multipart/form-data"], types);
        }
    }

    [Fact]
    public async Task The_schema_of_a_generation_has_all_keys_and_requires_them()
    {
        var schemas = (await DocumentAsync()).GetProperty("components").GetProperty("schemas");
        var generation = schemas.GetProperty("Generation");
        string[] keys = ["id", "state", "created_at", "model", "prompt", "aspect_ratio", "video", "image", "thumbnail", "last_frame", "outputs", "failure", "expires_at"];

        Assert.Equal(keys, generation.GetProperty("properties").EnumerateObject().Select(property => property.Name));
        Assert.Equal(keys.Order(), generation.GetProperty("required").EnumerateArray().Select(name => name.GetString()!).Order());
        Assert.All(
            keys.Except(["id", "state", "outputs"]),
            key => Assert.True(generation.GetProperty("properties").GetProperty(key).GetProperty("nullable").GetBoolean(), $"{key} may be null."));
        Assert.Equal(
            ["queued", "processing", "completed", "failed"],
            schemas.GetProperty("GenerationState").GetProperty("enum").EnumerateArray().Select(state => state.GetString()!));
        Assert.Equal(
            ["main", "thumbnail", "last_frame"],
            schemas.GetProperty("OutputRole").GetProperty("enum").EnumerateArray().Select(role => role.GetString()!));
    }

    [Fact]
    public async Task The_id_is_a_path_parameter_and_the_operation_has_a_security_scheme()
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
    public async Task The_routes_of_the_settings_are_in_the_document()
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
    public async Task Parameters_that_the_code_reads_by_hand_are_in_the_document(string path, string method, string parameter)
    {
        var operation = (await DocumentAsync()).GetProperty("paths").GetProperty(path).GetProperty(method);

        Assert.Contains(operation.GetProperty("parameters").EnumerateArray(), one => one.GetProperty("name").GetString() == parameter);
    }

    [Fact]
    public async Task Event_streams_and_batches_have_examples()
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
        using var otherCaller = _gateway.CreateCallerWithoutKey();
        using var response = await otherCaller.SendGetAsync("/openapi/v1.json");
        Assert.True(response.IsSuccessStatusCode);
        return await response.JsonAsync();
    }
}
