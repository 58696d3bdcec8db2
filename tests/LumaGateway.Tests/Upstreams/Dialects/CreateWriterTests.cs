using System.Text.Json;
using System.Text.Json.Nodes;
using LumaGateway.Contracts;
using LumaGateway.Creating;
using LumaGateway.Upstreams;
using LumaGateway.Upstreams.Dialects;

namespace LumaGateway.Tests.Upstreams.Dialects;

/// <summary>Creates in the words of each dialect. The expected bodies are in the folder <c>creates</c>. Reads files only.</summary>
public sealed class CreateWriterTests
{
    private static readonly IReadOnlyList<IUpstreamDialect> Dialects = KnownDialects.Create();

    public static TheoryData<string> Names => [.. Dialects.Select(dialect => dialect.Name)];

    public static TheoryData<string> Complete => [.. Directory.EnumerateFiles("creates/complete").Select(file => Path.GetFileNameWithoutExtension(file)).Order()];

    [Theory]
    [MemberData(nameof(Names))]
    public void One_body_is_written_for_each_dialect(string dialect)
    {
        var expected = JsonNode.Parse(File.ReadAllText($"creates/{dialect}.json"))!;

        var (create, faults) = Write(dialect, File.ReadAllText("creates/body.json"));

        Assert.Empty(faults);
        AssertEqual(expected, create!);
    }

    [Theory]
    [MemberData(nameof(Complete))]
    public void Every_field_that_a_dialect_can_express_is_written(string name)
    {
        var golden = JsonNode.Parse(File.ReadAllText($"creates/complete/{name}.json"))!;

        var (create, faults) = Write(golden["dialect"]!.GetValue<string>(), golden["request"]!.ToJsonString());

        Assert.Empty(faults);
        AssertEqual(golden, create!);
    }

    [Theory]
    [InlineData("relay", """{"type":"image"}""", "type", "video")]
    [InlineData("relay", """{"model":"ray-2"}""", "model", "ray-v1, ray-v2, ray-v3")]
    [InlineData("relay", """{"duration":9}""", "duration", "5")]
    [InlineData("relay", """{"resolution":"4k"}""", "resolution", "540p, 720p, 1080p")]
    [InlineData("relay", """{"aspect_ratio":"wide"}""", "aspect_ratio", "two whole numbers, such as 16:9")]
    [InlineData("relay", """{"aspect_ratio":"16:0"}""", "aspect_ratio", "two whole numbers")]
    [InlineData("relay", """{"seed":7}""", "seed", "type, aspect_ratio, prompt, model, duration, resolution, loop, start_image, end_image, callback_url")]
    [InlineData("dream-machine", """{"prompt":"ab"}""", "prompt", "3 to 5000 characters")]
    [InlineData("dream-machine", """{"model":"photon-1"}""", "model", "ray-2, ray-flash-2")]
    [InlineData("dream-machine", """{"type":"image","model":"ray-2"}""", "model", "photon-1, photon-flash-1")]
    [InlineData("dream-machine", """{"aspect_ratio":"2:1"}""", "aspect_ratio", "1:1, 16:9, 9:16, 4:3, 3:4, 21:9, 9:21")]
    [InlineData("dream-machine", """{"duration":7}""", "duration", "5, 9")]
    [InlineData("dream-machine", """{"type":"image","loop":true}""", "loop", "type, prompt, model, aspect_ratio, reference_images, callback_url")]
    [InlineData("agents", """{"prompt":null,"start_image":"https://h/a"}""", "prompt", "a text")]
    [InlineData("agents", """{"aspect_ratio":"4:1"}""", "aspect_ratio", "from 3:1 to 1:3")]
    [InlineData("agents", """{"duration":10,"loop":true}""", "loop", "a duration of 5 s")]
    [InlineData("agents", """{"loop":true,"options":{"agents":{"video":{"duration":"10s"}}}}""", "loop", "a duration of 5 s")]
    [InlineData("agents", """{"loop":true,"options":{"agents":{"video":{"hdr":true}}}}""", "loop", "a video without hdr")]
    [InlineData("agents", """{"duration":10,"options":{"agents":{"video":{"loop":true}}}}""", "options.agents.video.loop", "a duration of 5 s")]
    [InlineData("agents", """{"callback_url":"https://h/c"}""", "callback_url", "prompt")]
    [InlineData("new-api", "{}", "model", "a model of the relay")]
    [InlineData("new-api", """{"model":"m","resolution":"720p"}""", "resolution", "both")]
    [InlineData("new-api", """{"model":"m","aspect_ratio":"16:9"}""", "aspect_ratio", "both")]
    [InlineData("new-api", """{"model":"m","aspect_ratio":"16:9","resolution":"4k"}""", "resolution", "such as 720p")]
    [InlineData("piapi", """{"negative_prompt":"dogs"}""", "negative_prompt", "prompt")]
    public void What_a_dialect_cannot_express_is_refused_with_what_is_possible(string dialect, string body, string field, string possible)
    {
        var request = JsonNode.Parse(body)!.AsObject();
        request.TryAdd("prompt", "cat dance");

        var (create, faults) = Write(dialect, request.ToJsonString());

        Assert.Null(create);
        Assert.Equal(field, Assert.Single(faults).Key);
        Assert.All(faults[field], reason => Assert.Contains($"dialect {dialect}", reason, StringComparison.Ordinal));
        Assert.Contains(faults[field], reason => reason.Contains("possible: ", StringComparison.Ordinal) && reason.Contains(possible, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_refused_field_is_named_and_not_only_the_first()
    {
        var (_, faults) = Write("relay", """{"prompt":"cat","model":"m","duration":1,"seed":1,"negative_prompt":"n","source_video":"https://h/v","reference_images":["https://h/r"]}""");

        Assert.Equal(["duration", "model", "negative_prompt", "reference_images", "seed", "source_video"], faults.Keys.Order());
    }

    [Fact]
    public void Options_of_other_dialects_are_not_applied_and_a_member_is_not_written_twice()
    {
        var (other, _) = Write("relay", """{"prompt":"cat","options":{"agents":{"style":"manga"}}}""");
        var (_, faults) = Write("agents", """{"prompt":"cat","duration":5,"options":{"agents":{"style":"manga","video":{"duration":"10s","hdr":true}}}}""");

        Assert.DoesNotContain("style", other!.Body.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(["options.agents.video.duration"], faults.Keys);
    }

    [Theory]
    [InlineData("""{"prompt":"cat","loop":true,"options":{"agents":{"video":{"hdr":false,"duration":"5s"}}}}""")]
    [InlineData("""{"prompt":"cat","duration":10,"options":{"agents":{"video":{"loop":false,"hdr":true}}}}""")]
    [InlineData("""{"prompt":"cat","options":{"agents":{"video":{"loop":true,"hdr":true,"duration":"10s"}}}}""")] // only options: the upstream decides
    public void Options_that_conflict_with_no_field_are_sent_as_they_are(string body)
    {
        var (create, faults) = Write("agents", body);

        Assert.Empty(faults);
        Assert.NotNull(create);
    }

    [Theory]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(5000, true)]
    [InlineData(5001, false)]
    public void The_length_of_a_prompt_is_counted_in_characters_and_not_in_UTF_16_units(int characters, bool isPossible)
    {
        var prompt = string.Concat(Enumerable.Repeat("\U0001F600", characters));

        var (create, faults) = Write("dream-machine", $$"""{"prompt":"{{prompt}}"}""");

        Assert.Equal(isPossible, create is not null);
        Assert.Equal(isPossible ? [] : ["prompt"], faults.Keys);
    }

    [Fact]
    public void The_gateways_own_callback_and_user_are_written_where_the_dialect_has_them()
    {
        var defaults = new CreateDefaults("https://gateway.test/callbacks/luma/TOKEN", "reports");
        string[] callbacks = [.. Dialects.Where(dialect => BodyOf(dialect).Contains("/callbacks/luma/TOKEN", StringComparison.Ordinal)).Select(dialect => dialect.Name)];
        string[] users = [.. Dialects.Where(dialect => BodyOf(dialect).Contains("reports", StringComparison.Ordinal)).Select(dialect => dialect.Name)];

        Assert.Equal(["relay", "dream-machine", "piapi"], callbacks);
        Assert.Equal(["agents"], users);

        string BodyOf(IUpstreamDialect dialect) =>
            new CreateFields(new CreateGenerationRequest { Prompt = "cat", Model = dialect.Name is "new-api" ? "m" : null }, dialect.Name, defaults).Write(dialect.Writer)!.Body.ToJsonString();
    }

    /// <summary>Writes a body of a caller.</summary>
    internal static (UpstreamCreate? Create, IReadOnlyDictionary<string, IReadOnlyList<string>> Faults) Write(string dialect, string body)
    {
        var reader = new CreateRequestReader([.. Dialects.Select(known => known.Name)]);
        using var document = JsonDocument.Parse(body);
        if (reader.Read(document.RootElement) is not { } request)
        {
            return (null, reader.Faults);
        }

        var fields = new CreateFields(request, dialect, new CreateDefaults());
        return (fields.Write(Dialects.Single(known => known.Name == dialect).Writer), fields.Faults);
    }

    private static void AssertEqual(JsonNode golden, UpstreamCreate create)
    {
        Assert.Equal(golden["path"]!.GetValue<string>(), create.Path);
        Assert.True(JsonNode.DeepEquals(golden["body"], JsonNode.Parse(create.Body.ToJsonString())), create.Body.ToJsonString());
    }
}
