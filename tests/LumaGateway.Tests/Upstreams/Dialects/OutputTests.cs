using LumaGateway.Contracts;

namespace LumaGateway.Tests.Upstreams.Dialects;

/// <summary>The outputs that each dialect reads, in the upstream's order. Needs nothing.</summary>
public sealed class OutputTests
{
    [Fact]
    public void An_interim_generation_has_no_outputs() => Assert.All(
        Dialect.All, dialect => Assert.Empty(Dialect.Read(dialect.Name, Dialect.BodyWith(dialect.Name, "\"processing\"")).Outputs));

    [Fact]
    public void The_layers_of_an_agents_generation_keep_their_index_and_description()
    {
        var generation = Dialect.Read("agents", """
            {"id":"g1","state":"completed","type":"layering","output":[
                {"type":"image","url":"https://h/0","layer":{"index":0,"label":"cat","description":"A cat","alpha_hint":"soft","bounds":[1,2]}},
                {"url":"https://h/1","layer":{"index":"1","label":null,"alpha_hint":"none"}}]}
            """);

        Assert.Equal(
            [Image("https://h/0", layer: new OutputLayer(0, "cat", "A cat", "soft")), Image("https://h/1", layer: new OutputLayer(1, null, null, "none"))],
            generation.Outputs);
        Assert.Equal("https://h/0", generation.Image?.Url);
    }

    [Theory]
    [InlineData("exr")]
    [InlineData("Video_EXR")]
    public void An_agents_output_of_an_unknown_type_keeps_the_type_of_the_upstream(string type)
    {
        var generation = Dialect.Read("agents", $$"""
            {"id":"g1","state":"completed","type":"video","output":[{"type":"{{type}}","url":"https://h/a.exr"},{"type":"video","url":"https://h/v"}]}
            """);

        Assert.Equal([new GenerationOutput(type, "https://h/a.exr", null, null, null, null, null), Video("https://h/v")], generation.Outputs);
        Assert.Equal("https://h/v", generation.Video?.Url);
    }

    [Fact]
    public void A_generation_with_only_an_output_of_an_unknown_type_has_an_asset()
    {
        var generation = Dialect.Read("agents", """{"id":"g1","state":"completed","type":"video","output":[{"type":"exr","url":"https://h/a.exr"}]}""");

        Assert.True(generation.HasAsset);
        Assert.Null(generation.Video);
    }

    [Fact]
    public void An_agents_output_without_a_usable_link_is_omitted()
    {
        var generation = Dialect.Read("agents", """
            {"id":"g1","state":"completed","output":[{"type":"video","url":null},{"type":"exr","url":"ftp://h/e"},{"type":"image","url":"https://h/i"}]}
            """);

        Assert.Equal([Image("https://h/i")], generation.Outputs);
    }

    [Fact]
    public void Dream_machine_assets_become_outputs_without_the_preview()
    {
        var generation = Dialect.Read("dream-machine", """
            {"id":"g1","state":"completed","assets":{"progress_video":"https://h/p","image":"https://h/i","video":"https://h/v","thumbnail":"https://h/t"}}
            """);

        Assert.Equal([Video("https://h/v"), Image("https://h/i"), Image("https://h/t", OutputRole.Thumbnail)], generation.Outputs);
    }

    [Fact]
    public void The_outputs_of_a_relay_are_the_video_without_watermark_and_its_images()
    {
        var generation = Dialect.Read("relay", """
            {"id":"g1","state":"completed","video":{"url":"https://h/marked","download_url":"https://h/d"},"video_raw":{"url":"https://h/raw","width":4,"height":3,"duration":5.5},
             "last_frame":"https://h/l","thumbnail":"https://h/t"}
            """);

        Assert.Equal(
            [Video("https://h/raw") with { Width = 4, Height = 3, Duration = 5.5 }, Image("https://h/t", OutputRole.Thumbnail), Image("https://h/l", OutputRole.LastFrame)],
            generation.Outputs);
    }

    [Theory]
    [InlineData("relay", "outputs")]
    [InlineData("relay", "content")]
    [InlineData("new-api", "result")]
    [InlineData("piapi", "output")]
    public void Every_item_of_a_list_of_a_relay_is_an_output_in_its_order(string dialect, string name)
    {
        var generation = Dialect.Read(dialect, Dialect.BodyWith(dialect, "\"completed\"", $$"""
            "{{name}}":["https://h/1.png",{"type":"image","url":"https://h/2","width":7},{"type":"audio","url":"https://h/3.mp3"},{"url":"https://h/4.mp4"},{"url":"https://h/5.mp4"},"https://h/1.png"]
            """));

        Assert.Equal(
            [
                Image("https://h/1.png"), Image("https://h/2") with { Width = 7 }, new GenerationOutput("audio", "https://h/3.mp3", null, null, null, null, null),
                Video("https://h/4.mp4"), Video("https://h/5.mp4"),
            ],
            generation.Outputs);
        Assert.Equal(("https://h/4.mp4", "https://h/1.png"), (generation.Video?.Url, generation.Image?.Url));
    }

    [Fact]
    public void An_alternative_link_of_a_relay_is_not_another_output()
    {
        var generation = Dialect.Read("new-api", """{"task_id":"g1","status":"completed","video_url":"https://h/a.mp4","url":"https://h/b.mp4","result_url":"https://h/c.mp4"}""");

        Assert.Equal([Video("https://h/a.mp4")], generation.Outputs);
    }

    [Fact]
    public void A_generation_expires_with_its_earliest_output()
    {
        var generation = Dialect.Read("agents", """
            {"id":"g1","state":"completed","output":[{"type":"image","url":"https://h/0?Expires=1900000000"},{"type":"exr","url":"https://h/1?Expires=1800000000"}]}
            """);

        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1800000000), generation.ExpiresAt);
    }

    private static GenerationOutput Video(string url) => new("video", url, null, null, null, OutputRole.Main, null);

    private static GenerationOutput Image(string url, OutputRole role = OutputRole.Main, OutputLayer? layer = null) => new("image", url, null, null, null, role, layer);
}
