using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Creating;

/// <summary>
/// Properties of creates with any body, through the whole gateway. CsCheck prints the seed and the body of a counterexample. Needs nothing. The environment variable of
/// <see cref="PropertyCases"/> sets the number of bodies: 2,000 in CI, and 100,000 with <c>PROPERTY_CASES_PERCENT=5000</c>.
/// </summary>
[Collection(RunsAlone.Name)]
public sealed class CreatePropertyTests : IDisposable
{
    private static readonly string[] Dialects = ["relay", "dream-machine", "agents", "new-api", "piapi"];

    private static readonly string[] Texts =
    [
        "\"cat dance\"", "\"\"", "\"ab\"", "\"ray-2\"", "\"ray-v2\"", "\"ray-3.2\"", "\"uni-1\"", "\"photon-1\"", "\"16:9\"", "\"1:1\"", "\"99999:1\"", "\":\"", "\"720p\"", "\"4k\"", "\"-1p\"",
        "\"video\"", "\"image\"", "\"https://h/a\"", "\"http://\"", "\"file:///x\"", "\"\\ud800\"", "\"\\u0000\"", "\"5s\"", "5", "9", "10", "7.5", "0", "-1", "1e999", "1e-400", "99999999999999999999",
        "true", "false", "null", "[]", "{}", "[\"https://h/r\"]", "[null]", "[[\"https://h/r\"]]",
        "{\"relay\":{\"x\":1}}", "{\"agents\":{\"video\":{\"hdr\":true}}}", "{\"agents\":{\"video\":5}}", "{\"new-api\":{\"model\":\"m\"}}", "{\"dream-machine\":{\"model\":\"ray-2\"}}",
        "{\"piapi\":{\"input\":null}}", "{\"relay\":{\"user_prompt\":\"x\"}}", "{\"relay\":null}", "{\"other\":{}}", "{\"relay\":{\"\\ud800\":1}}",
    ];

    private static readonly string[] Names =
    [
        "type", "prompt", "prompt", "model", "aspect_ratio", "duration", "resolution", "loop", "start_image", "end_image", "source_video", "reference_images", "negative_prompt", "seed",
        "callback_url", "options", "unknown", "",
    ];

    /// <summary>Values of the right type: those that some dialect documents, and others.</summary>
    private static readonly (string Name, int Percent, string[] Values)[] Typed =
    [
        ("type", 30, ["\"video\"", "\"image\"", "null"]),
        ("prompt", 95, ["\"cat dance\"", "\"ab\"", "null"]),
        ("model", 40, ["\"ray-2\"", "\"ray-v2\"", "\"ray-3.2\"", "\"uni-1\"", "\"photon-1\"", "\"luma\""]),
        ("aspect_ratio", 20, ["\"16:9\"", "\"1:1\"", "\"99:1\"", "\"wide\""]),
        ("duration", 20, ["5", "9", "10", "7.5", "1e300"]),
        ("resolution", 15, ["\"720p\"", "\"1080p\"", "\"4k\"", "\"p\""]),
        ("loop", 20, ["true", "false"]),
        ("start_image", 20, ["\"https://h/a\""]),
        ("end_image", 10, ["\"https://h/b\""]),
        ("source_video", 5, ["\"https://h/v\""]),
        ("reference_images", 10, ["[]", "[\"https://h/r\"]"]),
        ("negative_prompt", 5, ["\"dogs\"", "null"]),
        ("seed", 5, ["7", "-9223372036854775808"]),
        ("callback_url", 10, ["\"https://mine/c\""]),
        ("options", 10, ["{\"relay\":{\"x\":1}}", "{\"agents\":{\"video\":{\"hdr\":true}}}", "{\"agents\":{\"video\":5}}", "{\"new-api\":{\"model\":\"m\"}}", "{\"piapi\":{\"input\":null}}"]),
    ];

    /// <summary>Fields in any order, each at most once.</summary>
    private static readonly Gen<List<string>> Fields = Gen.Int[0, 99].Array[Typed.Length].Select(Gen.Int[0, 99].Array[Typed.Length], (draws, choices) => Typed
        .Select((field, index) => (Text: $"\"{field.Name}\":{field.Values[choices[index] % field.Values.Length]}", IsGiven: draws[index] < field.Percent))
        .Where(field => field.IsGiven)
        .Select(field => field.Text)
        .ToList());

    /// <summary>Any value under any name.</summary>
    private static readonly Gen<string> Wild = Gen.Select(OneOf(Names), OneOf(Texts), (name, any) => $"\"{name}\":{any}");

    /// <summary>One body in four has up to four wild members too.</summary>
    private static readonly Gen<(string Dialect, string Body)> Create = Gen.Select(OneOf(Dialects), Fields, Wild.Array[1, 4], Gen.Int[0, 3], (dialect, fields, wild, draw) =>
        (dialect, $"{{{string.Join(',', draw == 0 ? [.. fields, .. wild] : fields)}}}"));

    private readonly Dictionary<string, (Gateway Gateway, HttpClient Caller)> _gateways = Dialects.ToDictionary(dialect => dialect, Start);

    public void Dispose()
    {
        foreach (var (gateway, caller) in _gateways.Values)
        {
            caller.Dispose();
            gateway.Dispose();
        }
    }

    [Fact]
    public void No_body_is_an_internal_error_and_every_unsupported_field_is_named()
    {
        var (sent, refused, invalid) = (0, 0, 0);
        Create.Sample(
            create =>
            {
                var (status, problem) = SendAsync(create.Dialect, create.Body).GetAwaiter().GetResult();
                switch (status)
                {
                    case HttpStatusCode.Created:
                        AssertExpressible(create.Dialect, create.Body);
                        sent++;
                        break;
                    case HttpStatusCode.UnprocessableEntity:
                        Assert.Equal("unsupported_field", problem.GetProperty("code").GetString());
                        AssertNamed(create.Dialect, create.Body, [.. CreateTests.ErrorsOf(problem).Select(error => error.Field)]);
                        refused++;
                        break;
                    default:
                        Assert.Equal(HttpStatusCode.BadRequest, status);
                        Assert.NotEmpty(CreateTests.ErrorsOf(problem));
                        invalid++;
                        break;
                }
            },
            iter: PropertyCases.Of(2000),
            threads: 1);

        Assert.True(sent > 0 && refused > 0 && invalid > 0, $"{sent} bodies were sent, {refused} refused, {invalid} invalid.");
        TestContext.Current.TestOutputHelper?.WriteLine($"{sent} bodies were sent, {refused} refused as unsupported, {invalid} as invalid; 0 were a 500.");
    }

    private static Gen<string> OneOf(string[] texts) => Gen.Int[0, texts.Length - 1].Select(index => texts[index]);

    private static (Gateway Gateway, HttpClient Caller) Start(string dialect)
    {
        var gateway = new Gateway().With("Luma:Dialect", dialect).With("Limits:RequestsPerSecond", "0");
        gateway.Upstream.AlwaysJson("""{"id":"g1","task_id":"g1","state":"queued","status":"queued"}""");
        return (gateway, gateway.CreateCaller());
    }

    private async Task<(HttpStatusCode Status, JsonElement Problem)> SendAsync(string dialect, string body)
    {
        var (gateway, caller) = _gateways[dialect];
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await caller.PostAsync(new Uri("/generations", UriKind.Relative), content, TestContext.Current.CancellationToken);
        gateway.Logs.Clear();
        return (response.StatusCode, response.IsSuccessStatusCode ? default : await response.JsonAsync());
    }

    private static void AssertExpressible(string dialect, string body)
    {
        var (given, type) = GivenOf(body);
        Assert.All(given, field => Assert.True(ExpressibleFields.Has(dialect, type, field), $"{field} was sent to {dialect}."));
    }

    /// <summary>The table of the documentation says which fields the dialect cannot express.</summary>
    private static void AssertNamed(string dialect, string body, IReadOnlyList<string> named)
    {
        var (given, type) = GivenOf(body);
        Assert.NotEmpty(named);
        foreach (var field in given.Where(field => ExpressibleFields.Has(dialect, type, field) is false))
        {
            Assert.Contains(field, named);
        }

        if (ExpressibleFields.Has(dialect, type, "prompt") is null)
        {
            Assert.Contains("type", named);
        }
    }

    /// <summary>The fields with a value that asks for anything, and the type.</summary>
    private static (IEnumerable<string> Fields, string Type) GivenOf(string body)
    {
        var members = JsonNode.Parse(body)!.AsObject();
        return (
            members.Where(member => member.Value is not (null or JsonArray { Count: 0 }) && ExpressibleFields.Fields.Contains(member.Key) && !(member.Value is JsonValue value && value.TryGetValue(out bool flag) && !flag))
                .Select(member => member.Key),
            members["type"]?.GetValue<string>() ?? "video");
    }
}
