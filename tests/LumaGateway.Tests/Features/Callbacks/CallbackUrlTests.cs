using System.Text;
using LumaGateway.Tests.Hosting;
using Microsoft.AspNetCore.Http;

namespace LumaGateway.Tests.Features.Callbacks;

public sealed class CallbackUrlTests : IDisposable
{
    private const string Secret = "s3cret-of-the-callback";
    private const string Url = $"https://gateway.test/callbacks/luma/{Secret}";

    private readonly string _file = Path.GetTempFileName();

    public CallbackUrlTests() => File.WriteAllText(_file, Secret);

    public void Dispose() => File.Delete(_file);

    [Theory]
    [InlineData("""{"prompt":"cat"}""", $$"""{"callback_url":"{{Url}}","prompt":"cat"}""", """{"request":{"prompt":"cat"}}""")]
    [InlineData("{}", $$"""{"callback_url":"{{Url}}"}""", """{"request":{}}""")]
    [InlineData("""{"callback_url":"https://mine.test/"}""", """{"callback_url":"https://mine.test/"}""", """{"request":{"callback_url":"https://mine.test/"}}""")]
    [InlineData("[1]", "[1]", """{"request":[1]}""")]
    public async Task A_create_gets_our_callback_unless_it_has_one_and_its_caller_never_sees_it(string sent, string received, string answered)
    {
        var got = "";
        await using var upstream = await LoopbackUpstream.StartAsync(async context =>
        {
            got = await new StreamReader(context.Request.Body).ReadToEndAsync(context.RequestAborted);
            context.Response.StatusCode = StatusCodes.Status201Created;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync($$"""{"request":{{got}}}""");
        });
        using var gateway = new Gateway().To(upstream.Address)
            .With("Callbacks:SecretFile", _file)
            .With("Callbacks:PublicUrl", "https://gateway.test")
            .With("ReverseProxy:Routes:test:ClusterId", "luma")
            .With("ReverseProxy:Routes:test:Match:Path", "/luma/tests")
            .With("ReverseProxy:Routes:test:Match:Methods:0", "POST")
            .With("ReverseProxy:Routes:test:Transforms:0:PathRemovePrefix", "/luma");
        using var caller = gateway.CreateCaller();

        using var response = await caller.PostAsync("/luma/tests", new StringContent(sent, Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);

        Assert.Equal(201, (int)response.StatusCode);
        Assert.Equal(received, got);
        Assert.Equal(answered, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
