using LumaGateway.Contracts;

namespace LumaGateway.Tests.Upstreams.Dialects;

public sealed class ImageTests
{
    [Theory]
    [InlineData(""" "thumbnail":{"url":"https://h/t","width":"4","height":3.0} """, "https://h/t", 4, 3)]
    [InlineData(""" "thumbnail":"https://h/t" """, "https://h/t", null, null)]
    [InlineData(""" "thumbnail":null,"video":{"thumbnail":"https://h/vt"} """, "https://h/vt", null, null)]
    [InlineData(""" "thumbnail":"","video":{"thumbnail":{"url":"https://h/vt","width":4}} """, "https://h/vt", 4, null)]
    [InlineData(""" "thumbnail":"https://h/t","artifact":{"thumbnail":"https://h/at"} """, "https://h/t", null, null)]
    [InlineData(""" "thumbnail":{"url":"t.jpg"},"artifact":{"thumbnail":"https://h/at"} """, "https://h/at", null, null)]
    [InlineData(""" "artifact":{"video":{"thumbnail":"https://h/avt"}} """, "https://h/avt", null, null)]
    [InlineData(""" "thumbnail":{"url":null,"width":4,"height":3} """, null, null, null)]
    [InlineData(""" "thumbnail":["https://h/t"] """, null, null, null)]
    public void A_thumbnail_is_read_in_every_place_and_form(string body, string? url, int? width, int? height)
    {
        var generation = Dialect.Read("relay", Dialect.BodyWith("relay", "\"completed\"", body));

        Assert.Equal(url is null ? null : new ImageAsset(url, width, height), generation.Thumbnail);
    }

    [Fact]
    public void The_last_frame_and_the_image_of_the_artifact_are_used_if_the_outer_ones_are_missing()
    {
        var first = Dialect.Read("relay", Dialect.BodyWith("relay", "\"completed\"", """
            "last_frame":"https://h/l","image":"https://h/i","artifact":{"last_frame":"https://h/al","image":"https://h/ai"}
            """));
        var second = Dialect.Read("relay", Dialect.BodyWith("relay", "\"completed\"", """
            "last_frame":null,"artifact":{"last_frame":"https://h/al","image":"https://h/ai"}
            """));

        Assert.Equal(("https://h/l", "https://h/i"), (first.LastFrame?.Url, first.Image?.Url));
        Assert.Equal(("https://h/al", "https://h/ai"), (second.LastFrame?.Url, second.Image?.Url));
    }

    [Theory]
    [InlineData(""" "assets":{"video":"https://h/v","image":"https://h/i"} """, "https://h/v", "https://h/i")]
    [InlineData(""" "assets":{"video":{"url":"https://h/v"},"image":{"url":"https://h/i"}} """, "https://h/v", "https://h/i")]
    [InlineData(""" "assets":"https://h/x","generation_type":"video" """, "https://h/x", null)]
    [InlineData(""" "assets":"https://h/x","generation_type":"image" """, null, "https://h/x")]
    [InlineData(""" "assets":"https://h/x","type":" IMAGE " """, null, "https://h/x")]
    [InlineData(""" "assets":"https://h/x","request":{"generation_type":"image"} """, null, "https://h/x")]
    [InlineData(""" "assets":"https://h/x" """, "https://h/x", null)]
    [InlineData(""" "assets":"https://h/x","generation_type":"video","type":"image","request":{"generation_type":"image"} """, "https://h/x", null)]
    [InlineData(""" "assets":"https://h/x","type":"video","request":{"generation_type":"image"} """, "https://h/x", null)]
    [InlineData(""" "assets":{"progress_video":"https://h/p"} """, null, null)]
    [InlineData(""" "assets":"" """, null, null)]
    [InlineData(""" "assets":null """, null, null)]
    [InlineData(""" "assets":[] """, null, null)]
    public void Dream_machine_assets_are_read_in_every_form(string body, string? video, string? image)
    {
        var generation = Dialect.Read("dream-machine", Dialect.BodyWith("dream-machine", "\"completed\"", body));

        Assert.Equal((video, image), (generation.Video?.Url, generation.Image?.Url));
    }

    [Fact]
    public void A_dream_machine_thumbnail_and_last_frame_are_read()
    {
        var generation = Dialect.Read("dream-machine", Dialect.BodyWith("dream-machine", "\"completed\"", """
            "assets":{"video":"https://h/v","thumbnail":"https://h/t","last_frame":{"url":"https://h/l","width":4,"height":3}}
            """));

        Assert.Equal(new ImageAsset("https://h/t", null, null), generation.Thumbnail);
        Assert.Equal(new ImageAsset("https://h/l", 4, 3), generation.LastFrame);
    }

    [Theory]
    [InlineData("""[{"type":"image","url":"https://h/i1"},{"type":"video","url":"https://h/v1"},{"type":"image","url":"https://h/i2"}]""",
        "https://h/v1", "https://h/i1")]
    [InlineData("""[{"type":"video","url":"https://h/v1"},{"type":"video","url":"https://h/v2"}]""", "https://h/v1", null)]
    [InlineData("""[{"type":"video","url":null},{"type":"VIDEO","url":"https://h/v2"}]""", "https://h/v2", null)]
    [InlineData("""[{"type":"audio","url":"https://h/a"},{"type":"subtitles"},null,7,""]""", null, null)]
    [InlineData("""[{"url":"https://h/x"}]""", null, "https://h/x")]
    [InlineData("""["https://h/x"]""", null, "https://h/x")]
    [InlineData("""{"type":"video","url":"https://h/v"}""", "https://h/v", null)]
    [InlineData("\"https://h/x\"", null, "https://h/x")]
    [InlineData("[]", null, null)]
    [InlineData("null", null, null)]
    public void The_first_agents_output_of_each_type_is_used(string output, string? video, string? image)
    {
        var generation = Dialect.Read("agents", Dialect.BodyWith("agents", "\"completed\"", $$"""
            "type":"image_edit","output":{{output}}
            """));

        Assert.Equal((video, image), (generation.Video?.Url, generation.Image?.Url));
    }

    [Theory]
    [InlineData("video", true)]
    [InlineData("video_edit", true)]
    [InlineData("video_reframe", true)]
    [InlineData(" Video_Edit ", true)]
    [InlineData("image", false)]
    [InlineData("image_edit", false)]
    [InlineData("IMAGE_EDIT", false)]
    public void The_type_of_an_agents_generation_or_output_decides_between_video_and_image(string type, bool isVideo)
    {
        var ofTheItem = Dialect.Read("agents", Dialect.BodyWith("agents", "\"completed\"", $$"""
            "type":"audio","output":[{"type":"{{type}}","url":"https://h/x"}]
            """));
        var ofTheGeneration = Dialect.Read("agents", Dialect.BodyWith("agents", "\"completed\"", $$"""
            "type":"{{type}}","output":[{"url":"https://h/x"}]
            """));

        Assert.All([ofTheItem, ofTheGeneration], generation => Assert.Equal(
            isVideo ? ("https://h/x", null) : (null, "https://h/x"), (generation.Video?.Url, generation.Image?.Url)));
    }

    [Fact]
    public void The_first_agents_thumbnail_and_last_frame_with_a_link_are_used()
    {
        var generation = Dialect.Read("agents", Dialect.BodyWith("agents", "\"completed\"", """
            "output":[{"type":"thumbnail","url":""},{"type":"thumbnail","url":"https://h/t"},{"type":"thumbnail","url":"https://h/t2"},
                      {"type":"last_frame","url":null},{"type":"last_frame","url":"https://h/l"},{"type":"last_frame","url":"https://h/l2"}]
            """));

        Assert.Equal(("https://h/t", "https://h/l"), (generation.Thumbnail?.Url, generation.LastFrame?.Url));
    }

    [Fact]
    public void An_agents_thumbnail_and_last_frame_are_read()
    {
        var generation = Dialect.Read("agents", Dialect.BodyWith("agents", "\"completed\"", """
            "output":[{"type":"thumbnail","url":"https://h/t"},{"type":"last_frame","url":"https://h/l"}]
            """));

        Assert.Equal(("https://h/t", "https://h/l"), (generation.Thumbnail?.Url, generation.LastFrame?.Url));
    }

    [Fact]
    public void A_generation_expires_with_its_earliest_returned_link()
    {
        var generation = Dialect.Read("relay", Dialect.BodyWith("relay", "\"completed\"", """
            "video":{"url":"https://h/v?Expires=1000000001","download_url":"https://h/v?Expires=1800000000"},
            "thumbnail":"https://h/t","last_frame":"https://h/l?Expires=1700000000"
            """));

        // The watermarked link expires earlier, but it is not returned.
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1_700_000_000), generation.ExpiresAt);
    }
}
