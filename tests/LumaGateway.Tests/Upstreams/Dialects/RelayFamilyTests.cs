using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Upstreams;
using LumaGateway.Upstreams.Dialects;

namespace LumaGateway.Tests.Upstreams.Dialects;

/// <summary>The shapes that relays, new-api, PiAPI and their forks use, read by all three dialects.</summary>
public sealed class RelayFamilyTests
{
    private const string Body = """{"id":"inner","state":"completed","video_raw":{"url":"https://h/v"},"request":{"prompt":"p"}}""";

    private static readonly string[] Family = ["relay", "new-api", "piapi"];

    public static MatrixTheoryData<string, string> Shapes => new(Family,
    [
        """{"id":"g1","state":"completed","video_raw":"https://h/v"}""",
        """{"task_id":"g1","status":"completed","url":"https://h/v"}""",
        """{"id":"g1","status":"completed","video_url":"https://h/v"}""",
        """{"id":"g1","status":"completed","result_url":"https://h/v"}""",
        """{"id":"g1","state":"completed","assets":{"video":"https://h/v"}}""",
        """{"id":"g1","state":"completed","assets":{"video":{"url":"https://h/v"}}}""",
        """{"id":"g1","state":"completed","assets":"https://h/v"}""",
        """{"id":"g1","state":"completed","video":{"download_url":"https://h/v","url":"https://h/marked"}}""",
        """{"task_id":"g1","status":"completed","metadata":{"url":"https://h/v"}}""",
        """{"task_id":"g1","status":"completed","metadata":"{\"url\":\"https://h/v\"}"}""",
        """{"task_id":"g1","status":"completed","content":{"video_url":"https://h/v"}}""",
        """{"task_id":"g1","status":"completed","output":"https://h/v"}""",
        """{"task_id":"g1","status":"completed","output":{"url":"https://h/v"}}""",
        """{"task_id":"g1","status":"completed","output":[{"type":"video","url":"https://h/v"}]}""",
        """{"task_id":"g1","status":"completed","outputs":["https://h/v"]}""",
        """{"task_id":"g1","status":"completed","outputs":[{"url":"https://h/v"},{"url":"https://h/second"}]}""",
        """{"task_id":"g1","status":"completed","result":{"result_url":"https://h/v"}}""",
        """{"code":"success","data":{"task_id":"g1","status":"SUCCESS","url":"https://h/v"}}""",
        """{"code":"success","data":{"task_id":"g1","status":"SUCCESS","result_url":"https://h/v"}}""",
        """{"code":200,"message":"","request_id":"r","data":{"id":"g1","state":"completed","assets":{"video":"https://h/v"}}}""",
        """{"code":200,"data":"{\"id\":\"g1\",\"state\":\"completed\",\"assets\":{\"video\":\"https://h/v\"}}"}""",
        """{"code":200,"data":[{"id":"g1","state":"completed","assets":{"video":"https://h/v"}}]}""",
        """{"code":"success","data":{"task_id":"g1","status":"SUCCESS","data":{"id":"x","state":"completed","assets":{"video":"https://h/v"}}}}""",
        $$$"""{"code":"success","data":{"task_id":"g1","status":"SUCCESS","data":{"code":"success","data":{"task_id":"x","status":"SUCCESS","data":{{{Body}}} } } } }""",
        $$$"""{"code":0,"data":{"task_id":"g1","status":"done","data":{"code":0,"data":{"task_id":"x","data":{"code":0,"data":{"task_id":"y","data":{{{Body}}} } } } } } }""",
        $$$"""{"data":{"task_id":"g1","status":"finished","output":{{{Body}}} } }""",
        $$$"""{"code":"success","data":{"task_id":"g1","status":"SUCCESS","data":{"code":200,"data":{"task_id":"x","status":"completed","output":{{{Body}}} } } } }""",
        """{"data":{"task_id":"g1","status":"SUCCESS","fail_reason":"https://h/v"}}""",
        "\"{\\\"id\\\":\\\"g1\\\",\\\"state\\\":\\\"completed\\\",\\\"video_raw\\\":\\\"https://h/v\\\"}\"",
    ]);

    public static MatrixTheoryData<string, string> Withheld => new(Family,
    [
        """{"id":"g1","state":"completed","progress_video":"https://h/p","assets":{"progress_video":"https://h/p"}}""",
        """{"id":"g1","state":"completed","video":{"url":"https://h/marked","download_url":""}}""",
        """{"id":"g1","state":"completed","video":{"url":"https://h/marked"},"video_raw":null}""",
        """{"task_id":"g1","status":"completed","watermarked_url":"https://h/marked","video":null}""",
        """{"task_id":"g1","status":"SUCCESS","result_url":"https://relay.example/v1/videos/g1/content"}""",
        """{"task_id":"g1","status":"SUCCESS","url":"https://RELAY.example:443/v1/videos/g1/content?download=1"}""",
        """{"task_id":"g1","status":"SUCCESS","fail_reason":"https://relay.example/v1/videos/g1/content"}""",
        """{"id":"g1","state":"completed","video_raw":"https://relay.example/v1/raw"}""",
        """{"id":"g1","state":"completed","data":{"data":{"data":{"data":{"data":{"data":{"data":{"url":"https://h/too-deep"}}}}}}}}""",
    ]);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void The_link_is_found_in_every_shape(string dialect, string body)
    {
        var generation = Read(dialect, body);

        Assert.Equal((GenerationState.Completed, "https://h/v"), (generation.State, generation.Video?.Url));
    }

    [Theory]
    [MemberData(nameof(Withheld))]
    public void A_preview_a_marked_file_and_a_link_that_needs_the_token_are_never_returned(string dialect, string body)
    {
        var generation = Read(dialect, body);

        Assert.Equal((GenerationState.Completed, false), (generation.State, generation.HasAsset));
    }

    [Theory]
    [InlineData("https://relay.example/files/v.mp4")]
    [InlineData("https://relay.example:8443/v1/v.mp4")]
    [InlineData("https://cdn.relay.example/v1/v.mp4")]
    [InlineData("https://relay.example/v1/v.mp4?X-Amz-Signature=00")]
    public void A_link_beside_the_api_of_the_upstream_is_returned(string url) =>
        Assert.Equal(url, Read("new-api", $$"""{"task_id":"g1","status":"SUCCESS","url":"{{url}}"}""").Video?.Url);

    [Fact]
    public void The_link_of_the_inner_body_is_returned_if_the_outer_one_needs_the_token() =>
        Assert.Equal("https://h/v", Read("new-api", """
            {"data":{"task_id":"g1","status":"SUCCESS","result_url":"https://relay.example/v1/videos/g1/content","data":{"assets":{"video":"https://h/v"}}}}
            """).Video?.Url);

    [Theory]
    [InlineData("""{"task_id":"g1","status":"completed","url":"https://h/x","format":"png"}""")]
    [InlineData("""{"task_id":"g1","status":"completed","url":"https://h/x.webp?a=b.mp4"}""")]
    [InlineData("""{"id":"g1","state":"completed","outputs":[{"type":"image","url":"https://h/x"}]}""")]
    [InlineData("""{"id":"g1","state":"completed","assets":{"image":"https://h/x"}}""")]
    public void A_link_to_an_image_is_the_image(string body)
    {
        var generation = Read("new-api", body);

        Assert.StartsWith("https://h/x", generation.Image?.Url, StringComparison.Ordinal);
        Assert.Null(generation.Video);
    }

    [Theory]
    [InlineData("relay", """{"id":"g1","state":"processing","status":"completed"}""", GenerationState.Processing)]
    [InlineData("new-api", """{"id":"g1","state":"processing","status":"completed"}""", GenerationState.Completed)]
    [InlineData("piapi", """{"id":"g1","state":"processing","status":"completed"}""", GenerationState.Completed)]
    [InlineData("relay", """{"code":0,"status":"success","data":{"id":"g1","state":"processing"}}""", GenerationState.Processing)]
    [InlineData("relay", """{"id":"g1","state":"processing","data":{"task_id":"x","status":"completed"}}""", GenerationState.Processing)]
    public void The_state_of_the_outermost_task_counts(string dialect, string body, GenerationState state) => Assert.Equal(state, Read(dialect, body).State);

    [Theory]
    [InlineData("""{"id":"other","state":"completed","data":{"id":"g1"}}""")]
    [InlineData("""{"code":0,"data":{"task_id":"other","data":{"task_id":"g1","id":"g1"}}}""")]
    [InlineData("""{"task_id":"other","id":"g1","state":"completed"}""")]
    [InlineData("""{"code":"success","data":{"status":"SUCCESS"}}""")]
    [InlineData("""{"code":"success","data":"not json {"}""")]
    public void A_response_about_another_id_is_malformed(string body) =>
        Assert.All(Family, dialect => Assert.Equal(UpstreamFault.Malformed, Dialect.RefusalReason(dialect, body).Fault));

    [Theory]
    [InlineData("""{"code":"task_not_exist","message":"task_not_exist","data":null}""")]
    [InlineData("""{"error":{"code":"task_not_exist","message":"?"}}""")]
    [InlineData("""{"detail":{"code":"task_not_exist","reason":"?"}}""")]
    public void An_unknown_id_with_status_400_is_not_found(string body) =>
        Assert.All(Family, dialect => Assert.Equal(UpstreamFault.NotFound, Dialect.RefusalReason(dialect, body, HttpStatusCode.BadRequest).Fault));

    [Theory]
    [InlineData("""{"id":"g1","state":"completed","code":500}""", UpstreamFault.Failed)]
    [InlineData("""{"code":"task_not_exist","data":null}""", UpstreamFault.NotFound)]
    [InlineData("""{"code":0,"data":{"code":404,"data":{"task_id":"g1","status":"SUCCESS"}}}""", UpstreamFault.NotFound)]
    public void A_failure_code_of_an_envelope_or_of_a_flat_task_is_a_fault(string body, UpstreamFault fault) =>
        Assert.All(Family, dialect => Assert.Equal(fault, Dialect.RefusalReason(dialect, body).Fault));

    [Fact]
    public void A_failed_flat_task_with_a_code_is_a_failed_generation() =>
        Assert.All(Family, dialect => Assert.Equal(
            new GenerationFailure("5001", "why", null),
            Read(dialect, """{"task_id":"g1","status":"failed","code":5001,"error":{"code":5001,"message":"why"}}""").Failure));

    private static Generation Read(string dialect, string body)
    {
        var upstream = new Lazy<Uri>(new Uri("https://relay.example/v1/video/"));
        IUpstreamDialect reader = dialect switch
        {
            "relay" => new RelayDialect(upstream),
            "new-api" => new NewApiDialect(upstream),
            _ => new PiApiDialect(upstream),
        };
        using var document = JsonDocument.Parse(body);
        return reader.Read(GenerationId.Parse("g1", null), HttpStatusCode.OK, document.RootElement).Generation;
    }
}
