using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LumaGateway.Problems;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.OpenApi;

/// <summary>The OpenAPI document. The system suite checks it with linters and generators too.</summary>
public sealed partial class DocumentTests(ServedDocument document) : IClassFixture<ServedDocument>
{
    [Fact]
    public void It_is_OpenAPI_3_1_of_at_most_110_kilobytes()
    {
        Assert.StartsWith("3.1.", Text(document.Root["openapi"]), StringComparison.Ordinal);
        Assert.True(document.Text.Length <= 110_000, $"The document has {document.Text.Length} bytes.");
    }

    [Fact]
    public void It_has_a_licence_a_contact_a_server_and_security()
    {
        var info = document.Root["info"]!;
        Assert.Equal("MIT", Text(info["license"]!["identifier"]));
        Assert.NotNull(info["contact"]!["name"]);
        Assert.Equal("/", Text(Assert.Single(document.Root["servers"]!.AsArray())!["url"]));
        Assert.Equal(["clientKey", "bearer"], document.Root["security"]!.AsArray().Select(scheme => scheme!.AsObject().Single().Key));
        Assert.Equal("apiKey", Text(document.Root["components"]!["securitySchemes"]!["clientKey"]!["type"]));
        Assert.Equal(["/callbacks/luma/{secret}"], document.Operations.Where(operation => operation.Operation["security"] is not null).Select(operation => operation.Path));
    }

    [Fact]
    public void The_tags_are_described_and_ordered_and_every_operation_has_one()
    {
        var tags = document.Root["tags"]!.AsArray();

        Assert.Equal(["Generations", "Waiting", "Assets", "Raw API", "Operations"], tags.Select(tag => Text(tag!["name"])));
        Assert.All(tags, tag => Assert.NotEqual("", Text(tag!["description"])));
        Assert.All(document.Operations, operation => Assert.Contains(Text(Assert.Single(operation.Operation["tags"]!.AsArray())), tags.Select(tag => Text(tag!["name"]))));
    }

    [Fact]
    public void The_document_begins_with_the_create_and_has_its_operations_by_tag()
    {
        var tags = document.Root["tags"]!.AsArray().Select(tag => Text(tag!["name"])).ToList();
        var operations = document.Operations.Select(operation => (Id: Text(operation.Operation["operationId"]), Tag: tags.IndexOf(Text(operation.Operation["tags"]![0])))).ToList();

        Assert.Equal(["CreateGeneration", "GetGenerations", "GetGeneration", "DeleteGeneration"], operations.Take(4).Select(operation => operation.Id));
        Assert.Equal(
            ["Generations", "Waiting", "Assets", "Operations"], // of the gateway's own operations: those under /luma follow
            operations.Where(operation => tags[operation.Tag] is not "Raw API").Select(operation => tags[operation.Tag]).Distinct());
    }

    [Fact]
    public void Names_are_valid_for_generators()
    {
        var components = document.Root["components"]!.AsObject().SelectMany(kind => kind.Value!.AsObject().Select(component => component.Key)).ToList();
        var ids = document.Operations.Select(operation => Text(operation.Operation["operationId"])).ToList();

        Assert.All(components, name => Assert.Matches(ComponentName(), name));
        Assert.All(ids, id => Assert.Matches(OperationName(), id));
        Assert.Distinct(ids, StringComparer.OrdinalIgnoreCase);
    }

    [Fact]
    public void Every_operation_has_a_success_with_content_or_204_and_HEAD_is_not_repeated()
    {
        Assert.All(document.Operations, operation =>
        {
            Assert.NotEqual("head", operation.Method);
            var successes = operation.Operation["responses"]!.AsObject().Where(response => response.Key.StartsWith('2')).ToList();
            Assert.NotEmpty(successes);
            Assert.All(successes, success => Assert.True(
                success.Key is "204" || document.Resolve(success.Value!)["content"]?.AsObject().All(content => content.Value!["schema"] is not null) is true,
                $"{operation.Method} {operation.Path} {success.Key} has no content."));
        });
    }

    [Theory]
    [InlineData("/generations/{id}/video", "video/mp4")]
    [InlineData("/generations/{id}/image", "image/jpeg")]
    [InlineData("/generations/{id}/thumbnail", "image/jpeg")]
    [InlineData("/generations/{id}/last_frame", "image/jpeg")]
    [InlineData("/generations/{id}/outputs/{n}", "application/octet-stream")]
    public void An_asset_is_binary(string path, string mediaType)
    {
        var responses = document.Operation(path)["responses"]!;

        foreach (var status in new[] { "200", "206" })
        {
            var schema = responses[status]!["content"]![mediaType]!["schema"]!;
            Assert.Equal(("string", "binary"), (Text(schema["type"]), Text(schema["format"])));
        }

        Assert.Null(responses["304"]); // Kiota would generate a method that returns nothing
        Assert.Null(responses["307"]);
    }

    [Theory]
    [InlineData("/generations/{id}", "200 304 400 401 403 404 405 429 500 502 503 504", "invalid_id", "generation_not_found")]
    [InlineData("/generations", "200 400 401 403 405 429 500 503", "invalid_request", "")]
    [InlineData("/generations/events", "200 400 401 403 404 405 429 500 502 503 504", "invalid_request invalid_id", "generation_not_found")]
    [InlineData("/generations/{id}/events", "200 400 401 403 404 405 429 500 502 503 504", "invalid_id", "generation_not_found")]
    [InlineData("/generations/{id}/video", "200 206 400 401 403 404 405 409 412 416 429 500 502 503 504", "invalid_id", "generation_not_found asset_not_found")]
    public void A_read_lists_its_own_problems(string path, string statuses, string badRequest, string notFound)
    {
        Assert.Equal(statuses.Split(' '), document.Operation(path)["responses"]!.AsObject().Select(response => response.Key).Order());
        Assert.Equal(badRequest.Split(' '), ProblemsOf(path, "400"));
        if (notFound.Length > 0)
        {
            Assert.Equal(notFound.Split(' '), ProblemsOf(path, "404"));
        }
    }

    [Theory]
    [InlineData("/luma/generations", "post", "428 503", "404")]
    [InlineData("/luma/generations/{id}/extend", "post", "404 428 503", "")]
    [InlineData("/luma/generations/{id}", "get", "404 503", "428")]
    [InlineData("/luma/generations/{id}", "delete", "404 503", "428")]
    [InlineData("/luma/task", "post", "428 503", "404")]
    [InlineData("/luma/task/{id}", "get", "404 503", "428")]
    [InlineData("/luma/files", "post", "503", "404 428")] // an upload is no create
    [InlineData("/luma/files/{id}", "get", "503", "404 428")] // a file has no owner
    [InlineData("/luma/credits", "get", "503", "404 428")]
    public void A_route_under_luma_lists_the_problems_of_its_middleware(string path, string method, string statuses, string absent)
    {
        var expected = new Dictionary<string, string> { ["404"] = "generation_not_found", ["428"] = "idempotency_key_required", ["503"] = "issuer_unavailable" };
        var responses = document.Operation(path, method)["responses"]!.AsObject();

        Assert.All(statuses.Split(' '), status => Assert.Contains(expected[status], ProblemsOf(path, status, method)));
        Assert.All(absent.Split(' ', StringSplitOptions.RemoveEmptyEntries), status => Assert.False(responses.ContainsKey(status), $"{status} is documented."));
        if (statuses.Contains("404", StringComparison.Ordinal))
        {
            Assert.Contains("ledger_unavailable", ProblemsOf(path, "503", method));
        }
    }

    [Fact]
    public void The_description_names_the_reads_without_HEAD()
    {
        using var gateway = new Gateway();
        var withHead = gateway.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Contains("HEAD") is true)
            .Select(endpoint => Constraint().Replace("/" + endpoint.RoutePattern.RawText!.Trim('/'), "}"))
            .ToHashSet();
        var reads = document.Operations.Where(operation => operation.Method is "get").Select(operation => operation.Path).ToList();

        Assert.Equal(
            reads.Where(path => path is "/generations" || path.EndsWith("/events", StringComparison.Ordinal) || (path.StartsWith("/luma/", StringComparison.Ordinal) && !path.Contains("{id}", StringComparison.Ordinal))),
            reads.Where(path => !withHead.Contains(path)));
        Assert.EndsWith(
            "Every GET also supports HEAD, except the event streams, `GET /generations` and the paths under `/luma` without an id.",
            Text(document.Root["info"]!["description"]),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Every_problem_is_in_a_response_with_its_status()
    {
        foreach (var kind in ProblemKinds.All)
        {
            Assert.Equal(kind.Status, document.Root["components"]!["examples"]![kind.Code]!["value"]!["status"]!.GetValue<int>());
            Assert.Contains(document.Operations, operation => operation.Operation["responses"]![$"{kind.Status}"] is not null && ProblemsOf(operation.Path, $"{kind.Status}", operation.Method).Contains(kind.Code));
        }
    }

    [Fact]
    public async Task The_examples_equal_real_responses()
    {
        var examples = document.Root["components"]!["examples"]!;

        var expected = JsonNode.Parse(await File.ReadAllTextAsync("fixtures/relay/completed.expected.json", TestContext.Current.CancellationToken));
        Assert.True(JsonNode.DeepEquals(expected, examples["completed"]!["value"]));
        Assert.Equal("processing", Text(examples["processing"]!["value"]!["state"]));
        Assert.Equal("content_moderated", Text(examples["failed"]!["value"]!["failure"]!["code"]));
        Assert.Equal("generation_not_found", Text(examples["batch"]!["value"]!["generations"]![1]!["problem"]!["code"]));
        Assert.StartsWith("event: generation\nid: p\ndata: {", Text(examples["event"]!["value"]), StringComparison.Ordinal);
    }

    [Fact]
    public void The_schema_of_a_generation_has_all_keys_and_requires_them()
    {
        var schemas = document.Root["components"]!["schemas"]!;
        var generation = schemas["Generation"]!;
        string[] keys = ["id", "state", "created_at", "model", "prompt", "aspect_ratio", "video", "image", "thumbnail", "last_frame", "outputs", "failure", "expires_at"];

        Assert.Equal(keys, generation["properties"]!.AsObject().Select(property => property.Key));
        Assert.Equal(keys.Order(), Texts(generation["required"]).Order());
        Assert.All(keys, key => Assert.Equal(key is not ("id" or "state" or "outputs"), AllowsNull(generation["properties"]![key]!)));
        Assert.Equal(["queued", "processing", "completed", "failed"], Texts(schemas["GenerationState"]!["enum"]));
        Assert.Equal(["main", "thumbnail", "last_frame"], Texts(schemas["OutputRole"]!["enum"]));
    }

    [Fact]
    public void A_batch_has_items_of_one_flat_shape()
    {
        var item = document.Root["components"]!["schemas"]!["BatchItem"]!;

        Assert.Equal("#/components/schemas/BatchItem", Text(document.Root["components"]!["schemas"]!["GenerationBatch"]!["properties"]!["generations"]!["items"]!["$ref"]));
        Assert.Equal(["id", "generation", "problem"], item["properties"]!.AsObject().Select(property => property.Key));
        Assert.Equal([false, true, true], item["properties"]!.AsObject().Select(property => AllowsNull(property.Value!)));
    }

    [Theory]
    [InlineData("/generations/{id}", "get", "id Prefer If-None-Match")]
    [InlineData("/generations", "get", "ids")]
    [InlineData("/generations", "post", "Idempotency-Key Prefer X-Luma-Account")]
    [InlineData("/jobs", "get", "state model from to cursor limit group")]
    [InlineData("/generations/{id}/events", "get", "id Last-Event-ID")]
    [InlineData("/generations/events", "get", "ids Last-Event-ID")]
    [InlineData("/generations/{id}/outputs/{n}", "get", "id n Range")]
    [InlineData("/callbacks/luma/{secret}", "post", "secret")]
    [InlineData("/luma/generations", "get", "X-Luma-Account limit offset")]
    [InlineData("/luma/generations", "post", "X-Luma-Account Idempotency-Key")]
    [InlineData("/luma/files", "get", "X-Luma-Account limit cursor purpose state")]
    public void Parameters_that_the_code_reads_by_hand_are_in_the_document(string path, string method, string parameters) =>
        Assert.Equal(parameters.Split(' '), document.Operation(path, method)["parameters"]!.AsArray().Select(parameter => Text(document.Resolve(parameter!)["name"])));

    [Theory]
    [InlineData("state", """{"$ref":"#/components/schemas/JobState"}""")]
    [InlineData("model", """{"type":"string"}""")]
    [InlineData("from", """{"type":"string","format":"date-time"}""")]
    [InlineData("to", """{"type":"string","format":"date-time"}""")]
    [InlineData("cursor", """{"type":"string"}""")]
    [InlineData("limit", """{"maximum":200,"minimum":1,"type":"integer","format":"int32"}""")]
    [InlineData("group", """{"type":"string"}""")]
    public void A_filter_of_the_jobs_has_the_type_of_its_value(string name, string schema)
    {
        var parameter = document.Operation("/jobs")["parameters"]!.AsArray().Single(parameter => Text(parameter!["name"]) == name)!;

        Assert.Equal(schema, parameter["schema"]!.ToJsonString());
        Assert.Null(parameter["required"]);
    }

    [Fact]
    public async Task A_create_has_the_documented_headers_and_those_of_every_response()
    {
        string[] ofEveryResponse = ["X-Content-Type-Options", "Content-Security-Policy", "Referrer-Policy", "Cross-Origin-Resource-Policy"];
        using var gateway = new Gateway().With("Limits:RequestsPerSecond", "2");
        gateway.Upstream.ThenJson("""{"id":"g1","state":"completed"}""", HttpStatusCode.Created);
        using var caller = gateway.CreateCaller();
        caller.DefaultRequestHeaders.Add("Idempotency-Key", "order-1");
        caller.DefaultRequestHeaders.Add("Prefer", "wait=0");

        using var created = await CreateAsync();
        using var repeated = await CreateAsync();

        Assert.Equal([HttpStatusCode.Created, HttpStatusCode.Created], new[] { created.StatusCode, repeated.StatusCode });
        Assert.Equal(
            document.Operation("/generations", "post")["responses"]!["201"]!["headers"]!.AsObject().Select(header => header.Key).Concat(ofEveryResponse).Order(StringComparer.OrdinalIgnoreCase),
            created.Headers.Concat(repeated.Headers).Select(header => header.Key).Distinct().Order(StringComparer.OrdinalIgnoreCase),
            StringComparer.OrdinalIgnoreCase);

        Task<HttpResponseMessage> CreateAsync() => caller.PostAsync(
            new Uri("/generations", UriKind.Relative), new StringContent("""{"prompt":"cat"}""", Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task The_cursor_in_the_example_of_the_jobs_is_valid()
    {
        using var gateway = new Gateway();
        using var caller = gateway.CreateCaller();

        using var page = await caller.SendGetAsync($"/jobs?cursor={Text(document.Root["components"]!["examples"]!["jobs"]!["value"]!["next_cursor"])}");

        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
    }

    [Theory]
    [InlineData("/luma/files", "get post")]
    [InlineData("/luma/files/{id}", "delete get")]
    [InlineData("/luma/files/{id}/complete", "post")]
    [InlineData("/luma/usage", "get")]
    public void The_routes_of_the_settings_are_in_the_document(string path, string methods)
    {
        Assert.Equal(methods.Split(' '), document.Root["paths"]![path]!.AsObject().Select(operation => operation.Key).Order());
        if (path == "/luma/files")
        {
            Assert.Equal(["application/json", "multipart/form-data"], document.Operation(path, "post")["requestBody"]!["content"]!.AsObject().Select(type => type.Key));
        }
    }

    /// <summary>The codes that a response describes. Each has an example.</summary>
    private List<string> ProblemsOf(string path, string status, string method = "get")
    {
        var response = document.Resolve(document.Operation(path, method)["responses"]![status]!);
        var content = response["content"]!["application/problem+json"]!;
        var codes = content["examples"]!.AsObject().Select(example => example.Key).ToList();
        Assert.Equal("#/components/schemas/Problem", Text(content["schema"]!["$ref"]));
        Assert.All(content["examples"]!.AsObject(), example => Assert.Equal(example.Key, Text(document.Resolve(example.Value!)["value"]!["code"])));
        Assert.All(codes, code => Assert.Contains($"(`{code}`)", Text(response["description"]), StringComparison.Ordinal));
        return codes;
    }

    private static bool AllowsNull(JsonNode schema) =>
        schema["type"] is JsonArray types ? Texts(types).Contains("null") : schema["oneOf"]?.AsArray().Any(one => one!["type"]?.GetValue<string>() is "null") is true;

    private static string Text(JsonNode? node) => node?.GetValue<string>() ?? "";

    private static IEnumerable<string> Texts(JsonNode? array) => array!.AsArray().Select(Text);

    /// <summary>The constraints of a route parameter, which the document does not have.</summary>
    [GeneratedRegex(":[^}]*}")]
    private static partial Regex Constraint();

    /// <summary>OpenAPI 3.1, section 4.8.7.</summary>
    [GeneratedRegex("^[a-zA-Z0-9._-]+$")]
    private static partial Regex ComponentName();

    [GeneratedRegex("^[A-Z][A-Za-z0-9]+$")]
    private static partial Regex OperationName();
}
