using System.IO.Compression;
using System.Text;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace LumaGateway.Tests.Upstreams;

/// <summary>RFC 9110, section 8.4.1.3: a recipient takes <c>x-gzip</c> for <c>gzip</c>. Over a real socket, where the client unpacks.</summary>
public sealed class XGzipTests
{
    [Theory]
    [InlineData("gzip")]
    [InlineData("x-gzip")]
    [InlineData("X-GZip")]
    public async Task A_body_in_gzip_is_read_by_whichever_name(string encoding)
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
    public async Task An_answer_that_passes_in_gzip_is_learnt_by_whichever_name(string encoding)
    {
        var requests = 0;
        await using var upstream = await Loopback.StartAsync(context =>
        {
            Interlocked.Increment(ref requests);
            return RespondAsync(context, encoding);
        });
        await using var gateway = new Gateway().WithUpstream(upstream.Address);
        using var caller = gateway.CreateCaller();

        // It is learnt beside the answer: a read right after it may come too early, so each try is about another generation.
        var attempts = 0;
        await Poll.UntilAsync(async () =>
        {
            var id = $"g{++attempts}";
            using var passed = await caller.SendGetAsync($"/luma/generations/{id}");
            await Task.Delay(TimeSpan.FromMilliseconds(5 * attempts), TimeProvider.System, TestContext.Current.CancellationToken);
            var before = Volatile.Read(ref requests);
            using var read = await caller.SendGetAsync($"/generations/{id}");
            return Volatile.Read(ref requests) == before;
        });
    }

    private static async Task RespondAsync(HttpContext context, string encoding)
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionMode.Compress, leaveOpen: true))
        {
            await gzip.WriteAsync(Encoding.UTF8.GetBytes(Samples.Failed(context.Request.Path.Value!.Split('/')[^1])));
        }

        context.Response.ContentType = "application/json";
        context.Response.Headers.ContentEncoding = encoding;
        await context.Response.Body.WriteAsync(packed.ToArray());
    }
}
