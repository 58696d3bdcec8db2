using System.Net;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Assets;

/// <summary>Downloads of outputs by their index, from a CDN on loopback. Needs nothing.</summary>
public sealed class AssetOutputTests : IAsyncLifetime
{
    private static readonly byte[] Exr = [0x76, 0x2F, 0x31, 0x01, 2, 0, 0, 0];
    private static readonly byte[] Png = [0x89, .. "PNG\r\n\u001a\n\0\0\0\r"u8];

    private Cdn _cdn = null!;
    private Gateway _gateway = null!;
    private HttpClient _caller = null!;

    public async ValueTask InitializeAsync()
    {
        _cdn = await Cdn.StartAsync();
        _gateway = AssetGateway.For(_cdn).With("Luma:Dialect", "agents");
        _caller = _gateway.CreateCaller();
    }

    public async ValueTask DisposeAsync()
    {
        _caller.Dispose();
        await _gateway.DisposeAsync();
        await _cdn.DisposeAsync();
    }

    [Fact]
    public async Task An_output_is_selected_by_its_index()
    {
        Upstream("image", "image");
        Serve("image/png", Png);

        using var response = await _caller.SendGetAsync("/generations/g1/outputs/1");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(("image/png", "nosniff", "attachment; filename=\"g1-1.png\""), Headers(response));
        Assert.Equal("/1", Assert.Single(_cdn.Requests).Path);
    }

    [Fact]
    public async Task A_range_of_an_output_is_forwarded()
    {
        Upstream("image");
        Serve("image/png", Png);

        using var request = new HttpRequestMessage(HttpMethod.Get, "/generations/g1/outputs/0");
        request.Headers.Add("Range", "bytes=0-3");
        using var response = await _caller.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal("bytes=0-3", Assert.Single(_cdn.Requests).Headers["Range"]);
    }

    [Theory]
    [InlineData("application/octet-stream", "image/x-exr", "exr")]
    [InlineData("image/x-exr", "image/x-exr", "exr")]
    public async Task The_first_bytes_show_the_type_of_an_output_of_an_unknown_type(string sent, string expected, string extension)
    {
        Upstream("exr_export");
        Serve(sent, Exr);

        using var response = await _caller.SendGetAsync("/generations/g1/outputs/0");

        Assert.Equal((expected, "nosniff", $"attachment; filename=\"g1-0.{extension}\""), Headers(response));
    }

    [Fact]
    public async Task An_output_whose_type_nothing_shows_is_sent_as_bytes()
    {
        Upstream("archive");
        Serve("binary/octet-stream", "PK\u0003\u0004"u8.ToArray());

        using var response = await _caller.SendGetAsync("/generations/g1/outputs/0");

        Assert.Equal(("application/octet-stream", "nosniff", "attachment; filename=\"g1-0.bin\""), Headers(response));
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("application/json")]
    [InlineData("application/xml")]
    public async Task A_page_in_place_of_an_output_of_an_unknown_type_is_a_502(string type)
    {
        Upstream("exr_export");
        Serve(type, Exr);

        using var response = await _caller.SendGetAsync("/generations/g1/outputs/0");

        await response.ProblemAsync(502, "asset_not_media");
    }

    [Fact]
    public async Task Bytes_that_show_no_image_in_place_of_an_image_output_are_a_502()
    {
        Upstream("image");
        Serve("application/octet-stream", "<svg/>"u8.ToArray());

        using var response = await _caller.SendGetAsync("/generations/g1/outputs/0");

        await response.ProblemAsync(502, "asset_not_media");
    }

    [Theory]
    [InlineData("2")]
    [InlineData("2147483647")]
    public async Task An_index_past_the_last_output_is_a_404(string index)
    {
        Upstream("image", "image");

        using var response = await _caller.SendGetAsync($"/generations/g1/outputs/{index}");

        await response.ProblemAsync(404, "asset_not_found");
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("one")]
    [InlineData("2147483648")]
    public async Task A_value_that_is_no_index_is_a_404_without_an_upstream_request(string index)
    {
        using var response = await _caller.SendGetAsync($"/generations/g1/outputs/{index}");

        await response.ProblemAsync(404, "not_found");
        Assert.Equal(0, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task The_expired_link_of_an_output_is_renewed_once()
    {
        Upstream("image", "image");
        Upstream("image", "image");
        _cdn.Then(static context =>
        {
            context.Response.StatusCode = 403;
            return Task.CompletedTask;
        });
        Serve("image/png", Png);

        using var response = await _caller.SendGetAsync("/generations/g1/outputs/1");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(2, _gateway.Upstream.RequestCount);
    }

    private void Upstream(params string[] types) => _gateway.Upstream.ThenJson($$"""
        {"id":"g1","state":"completed","type":"image","output":[{{string.Join(',', types.Select((type, n) => $$"""{"type":"{{type}}","url":"http://cdn.test:{{_cdn.Port}}/{{n}}"}"""))}}]}
        """);

    private void Serve(string type, byte[] file) => _cdn.Then(async context =>
    {
        context.Response.ContentType = type;
        await context.Response.Body.WriteAsync(file);
    });

    private static (string, string, string) Headers(HttpResponseMessage response) =>
        (response.Header("Content-Type"), response.Header("X-Content-Type-Options"), response.Header("Content-Disposition"));
}
