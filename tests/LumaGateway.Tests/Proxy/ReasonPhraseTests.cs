using System.Net;
using LumaGateway.Tests.Assets;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace LumaGateway.Tests.Proxy;

/// <summary>RFC 9112, section 4: the reason phrase is text of the server, which clients ignore. That of an upstream or a CDN may name its account and never reaches a caller.</summary>
public sealed class ReasonPhraseTests
{
    private const string Phrase = "Token of acct-7 revoked";

    [Theory]
    [InlineData(200, "200 OK")]
    [InlineData(401, "502 Bad Gateway")]
    [InlineData(404, "404 Not Found")]
    [InlineData(429, "429 Too Many Requests")]
    [InlineData(599, "599 ")]
    [InlineData(500, "500 Internal Server Error")]
    public async Task A_caller_of_HTTP_1_1_gets_the_phrase_of_the_gateway(int status, string line)
    {
        await using var upstream = await Loopback.StartAsync(context => RespondAsync(context, status));
        await using var gateway = new Gateway().WithUpstream(upstream.Address);
        var listening = ListeningGateway.Start(gateway);
        using var connection = await RawConnection.OpenAsync(listening.Main);

        await connection.SendAsync($"GET /luma/generations/g1 HTTP/1.1\r\nHost: gateway\r\nX-Api-Key: {Gateway.Key}\r\nConnection: close\r\n\r\n");

        Assert.StartsWith($"HTTP/1.1 {line}\r\n", await connection.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_create_that_moves_to_another_account_has_no_phrase_of_the_first()
    {
        using var raw = new RawGateway();
        raw.Gateway.WithAccounts(TestAccounts.Named("a"), TestAccounts.Named("b"));
        raw.Upstream
            .Then((_, _) => Task.FromResult(WithPhrase(ScriptedUpstream.Json("{}", HttpStatusCode.PaymentRequired))))
            .ThenJson("""{"id":"g1","state":"queued"}""", HttpStatusCode.Created);
        using var caller = raw.CreateCaller();

        using var response = await caller.PostAsync("/luma/generations", new StringContent("{}"), TestContext.Current.CancellationToken);

        Assert.Equal((HttpStatusCode.Created, "Created", 2), (response.StatusCode, response.ReasonPhrase, raw.Upstream.RequestCount));
    }

    [Theory]
    [InlineData(200, "OK")]
    [InlineData(500, "Bad Gateway")]
    public async Task A_file_has_no_phrase_of_its_CDN(int status, string phrase)
    {
        await using var cdn = await Cdn.StartAsync();
        cdn.Then(context => RespondAsync(context, status, "video/mp4"));
        using var gateway = AssetGateway.For(cdn);
        gateway.Upstream.AlwaysJson(AssetGateway.Completed(cdn.Link()));
        using var caller = gateway.CreateCaller();

        using var response = await caller.SendGetAsync("/generations/g1/video");

        Assert.Equal(phrase, response.ReasonPhrase);
    }

    private static Task RespondAsync(HttpContext context, int status, string mediaType = "application/json")
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = mediaType;
        context.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = Phrase;
        return context.Response.WriteAsync("{}");
    }

    private static HttpResponseMessage WithPhrase(HttpResponseMessage response)
    {
        response.ReasonPhrase = Phrase;
        return response;
    }
}
