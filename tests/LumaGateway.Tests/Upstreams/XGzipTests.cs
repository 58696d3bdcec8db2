using System.IO.Compression;
using System.Text;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace LumaGateway.Tests.Upstreams;

/// <summary>RFC 9110, section 8.4.1.3: <c>x-gzip</c> means <c>gzip</c>. Uses a real socket, because the HTTP client decompresses there.</summary>
public sealed class XGzipTests
{
    [Theory]
    [InlineData("gzip")]
    [InlineData("x-gzip")]
    [InlineData("X-GZip")]
    public async Task A_gzip_body_is_read_under_both_names(string encoding)
    {
        await using var upstream = await Loopback.StartAsync(context => RespondAsync(context, encoding));
        await using var gateway = new Gateway().WithUpstream(upstream.Address);
        using var caller = gateway.CreateCaller();

        using var read = await caller.SendGetAsync("/generations/g1");

        Assert.Equal("failed", (await read.JsonAsync()).GetProperty("state").GetString());
    }

    [Theory]
    [InlineData("x-gzip")]
    [InlineData("X-GZip")]
    public async Task The_response_of_a_passthrough_in_gzip_is_cached_under_both_names(string encoding)
    {
        var requests = 0;
        await using var upstream = await Loopback.StartAsync(context =>
        {
            Interlocked.Increment(ref requests);
            return RespondAsync(context, encoding);
        });
        await using var gateway = new Gateway().WithUpstream(upstream.Address);
        using var caller = gateway.CreateCaller();

        // The entry is stored in the background. A read can run before that, so each attempt uses another generation.
        var attempts = 0;
        await Poll.UntilAsync(async () =>
        {
            var id = $"g{++attempts}";
            using var response = await caller.SendGetAsync($"/luma/generations/{id}");
            await Task.Delay(TimeSpan.FromMilliseconds(5 * attempts), TimeProvider.System, TestContext.Current.CancellationToken);
            var before = Volatile.Read(ref requests);
            using var read = await caller.SendGetAsync($"/generations/{id}");
            return Volatile.Read(ref requests) == before;
        });
    }

    private static async Task RespondAsync(HttpContext context, string encoding)
    {
        using var compressed = new MemoryStream();
        await using (var gzip = new GZipStream(compressed, CompressionMode.Compress, leaveOpen: true))
        {
            await gzip.WriteAsync(Encoding.UTF8.GetBytes(Samples.Failed(context.Request.Path.Value!.Split('/')[^1])));
        }

        context.Response.ContentType = "application/json";
        context.Response.Headers.ContentEncoding = encoding;
        await context.Response.Body.WriteAsync(compressed.ToArray());
    }
}
