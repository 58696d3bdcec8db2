using LumaGateway.Contracts;

namespace LumaGateway.Tests.Upstreams.Dialects;

public sealed class VideoTests
{
    private const string Raw = """
        "video_raw":{"url":"https://h/raw","width":11,"height":12,"duration":1.5}
        """;

    private const string Video = """
        "video":{"url":"https://h/marked","download_url":"https://h/download","width":21,"height":22}
        """;

    private const string Artifact = """
        "artifact":{"video_raw":{"url":"https://h/a-raw","width":31,"height":32,"duration":3.5},
                    "video":{"url":"https://h/a-marked","download_url":"https://h/a-download","width":41,"height":42}}
        """;

    public static TheoryData<string, VideoAsset?> Relayed => new()
    {
        { $"{Artifact},{Video},{Raw}", new VideoAsset("https://h/raw", 11, 12, 1.5) },
        { $"{Artifact},{Video}", new VideoAsset("https://h/download", 21, 22, 3.5) },
        { Artifact, new VideoAsset("https://h/a-raw", 31, 32, 3.5) },
        { $$"""{{Video}},"video_raw":null""", new VideoAsset("https://h/download", 21, 22, null) },
        { $$"""{{Video}},"video_raw":"" """, new VideoAsset("https://h/download", 21, 22, null) },
        { $$"""{{Video}},"video_raw":{"url":"","duration":9}""", new VideoAsset("https://h/download", 21, 22, 9) },
        { $$"""{{Video}},"video_raw":{"url":"/relative"}""", new VideoAsset("https://h/download", 21, 22, null) },
        { $$"""{{Video}},"video_raw":"https://h/bare" """, new VideoAsset("https://h/bare", 21, 22, null) },
        { """ "video":{"url":"https://h/marked","download_url":""} """, null },
        { """ "video":{"url":"https://h/marked","download_url":null} """, null },
        { """ "video":{"url":"https://h/marked"},"video_raw":null """, null },
        { """ "video":{"download_url":"https://h/download"} """, new VideoAsset("https://h/download", null, null, null) },
        { """ "video":{},"artifact":{"video":{"download_url":"https://h/a-download","url":"https://h/a"}} """,
            new VideoAsset("https://h/a-download", null, null, null) },
        { """ "video":{"url":"https://h/marked"},"artifact":{"video_raw":{"url":"https://h/a-raw"}} """,
            new VideoAsset("https://h/a-raw", null, null, null) },
        { """ "progress_video":"https://h/progress","assets":{"progress_video":"https://h/progress"} """, null },
        { """ "video":{"width":1,"height":2} """, null },
        { """ "video":null,"video_raw":null,"artifact":null """, null },
        { """ "video":[],"video_raw":7,"artifact":"" """, null },
    };

    public static TheoryData<string, VideoAsset> Measures => new()
    {
        { """ "width":"1360","height":"752","duration":"5.04" """, new VideoAsset("https://h/v", 1360, 752, 5.04) },
        { """ "width":1360.0,"height":" 752 ","duration":"5s" """, new VideoAsset("https://h/v", 1360, 752, 5) },
        { """ "width":1.36e3,"height":"752.0","duration":" 5.5 S " """, new VideoAsset("https://h/v", 1360, 752, 5.5) },
        { """ "width":0,"height":-1,"duration":-0.5 """, new VideoAsset("https://h/v", null, null, null) },
        { """ "width":1e999,"height":"1e999","duration":1e999 """, new VideoAsset("https://h/v", null, null, null) },
        { """ "width":2147483648,"height":2147483647,"duration":"NaN" """, new VideoAsset("https://h/v", null, int.MaxValue, null) },
        { """ "width":1360.5,"height":"wide","duration":"Infinity" """, new VideoAsset("https://h/v", null, null, null) },
        { """ "width":null,"height":"","duration":"5000ms" """, new VideoAsset("https://h/v", null, null, null) },
        { """ "width":{},"height":[752],"duration":"s" """, new VideoAsset("https://h/v", null, null, null) },
        { """ "width":true,"height":"\udc00","duration":0 """, new VideoAsset("https://h/v", null, null, 0) },
    };

    [Theory]
    [MemberData(nameof(Relayed))]
    public void The_video_without_watermark_is_preferred_at_every_place(string assets, VideoAsset? video)
    {
        string[] bodies = [assets, $"\"data\":{{{assets}}}", $"\"data\":[{{{assets}}}]", $"\"output\":{{{assets}}}"];
        string[] dialects = ["relay", "new-api", "new-api", "piapi"];

        foreach (var (dialect, body) in dialects.Zip(bodies))
        {
            Assert.Equal(video, Dialect.Read(dialect, Dialect.BodyWith(dialect, "\"completed\"", body)).Video);
        }
    }

    [Theory]
    [InlineData("relay", "https://h/v")]
    [InlineData("new-api", "https://h/v")]
    [InlineData("piapi", null)]
    public void A_video_without_an_unmarked_copy_is_returned_unless_the_dialect_adds_watermarks(string dialect, string? url)
    {
        string[] videos = [""" "video":"https://h/v" """, """ "video":{"url":"https://h/v"} """, """ "video":null,"artifact":{"video":"https://h/v"} """];

        Assert.All(videos, video => Assert.Equal(url, Dialect.Read(dialect, Dialect.BodyWith(dialect, "\"completed\"", video)).Video?.Url));
    }

    [Theory]
    [MemberData(nameof(Measures))]
    public void Sizes_and_durations_are_read_from_numbers_and_texts_and_are_null_if_invalid(string measures, VideoAsset video)
    {
        var asset = $$"""{"url":"https://h/v",{{measures}}}""";

        Assert.Equal(video, Dialect.Read("relay", Dialect.BodyWith("relay", "\"completed\"", $"\"video\":{asset}")).Video);
        Assert.Equal(video, Dialect.Read("agents", Dialect.BodyWith("agents", "\"completed\"", $"\"output\":[{asset}]")).Video);
        Assert.Equal(
            video,
            Dialect.Read("dream-machine", Dialect.BodyWith("dream-machine", "\"completed\"", $$"""
                "assets":{"video":{{asset}}}
                """)).Video);
    }

    [Theory]
    [InlineData(""" "result_url":"https://h/result","fail_reason":"https://h/old" """, "https://h/result")]
    [InlineData(""" "result_url":"","fail_reason":"https://h/old" """, "https://h/old")]
    [InlineData(""" "fail_reason":"https://h/old","data":null """, "https://h/old")]
    [InlineData(""" "fail_reason":"all is well" """, null)]
    [InlineData(""" "result_url":"https://h/result","data":{"id":"other","video_raw":{"url":"https://h/raw"}} """, "https://h/raw")]
    public void The_link_of_a_new_api_row_is_used_if_the_wrapped_body_has_none(string row, string? url)
    {
        var generation = Dialect.Read("new-api", Dialect.BodyWith("new-api", "\"SUCCESS\"", row));

        Assert.Equal(url, generation.Video?.Url);
        Assert.Null(generation.Failure);
    }

    [Fact]
    public void A_new_api_failure_whose_reason_is_a_link_has_no_video()
    {
        var generation = Dialect.Read("new-api", Dialect.BodyWith("new-api", "\"FAILURE\"", "\"fail_reason\":\"https://h/why\""));

        Assert.Null(generation.Video);
        Assert.Equal("https://h/why", generation.Failure?.Reason);
    }

    [Theory]
    [InlineData("relay", """{"id":"g1","state":"completed","video":"https://h/v","duration":5,"request":{"duration":"5s"}}""")]
    [InlineData("dream-machine", """{"id":"g1","state":"completed","assets":{"video":"https://h/v"},"request":{"duration":"5s"}}""")]
    [InlineData("agents", """{"id":"g1","state":"completed","output":[{"url":"https://h/v"}],"request":{"duration":5},"duration":5}""")]
    [InlineData("new-api", """{"data":{"task_id":"g1","status":"SUCCESS","result_url":"https://h/v","data":{"request":{"duration":5}}}}""")]
    [InlineData("piapi", """{"data":{"task_id":"g1","status":"completed","input":{"duration":5},"output":{"video_raw":"https://h/v"}}}""")]
    public void The_requested_duration_is_not_the_duration_of_the_file(string dialect, string body) =>
        Assert.Equal(new VideoAsset("https://h/v", null, null, null), Dialect.Read(dialect, body).Video);
}
