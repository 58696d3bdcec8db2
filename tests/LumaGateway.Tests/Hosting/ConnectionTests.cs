using System.Net;
using LumaGateway.Hosting;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Hosting;

/// <summary>What each connection's check makes of an answer.</summary>
public sealed class ConnectionTests : IAsyncDisposable
{
    private readonly Gateway _gateway = new Gateway().With("Luma:Retries", "0");

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Theory]
    [InlineData(HttpStatusCode.NotFound, """{"error":{"code":"task_not_found"}}""", "takes the token")]
    [InlineData(HttpStatusCode.Unauthorized, "{}", "refuses the token")]
    [InlineData(HttpStatusCode.PaymentRequired, "{}", "out of credit")]
    [InlineData(HttpStatusCode.TooManyRequests, "{}", "left alone just now")]
    [InlineData(HttpStatusCode.OK, "<html>", "does not speak relay")]
    [InlineData(HttpStatusCode.InternalServerError, "{}", "but fails")]
    public async Task The_upstreams_answer_is_told_in_words(HttpStatusCode status, string body, string told)
    {
        _gateway.Upstream.ThenJson(body, status);

        var (verdict, says) = await TryAsync("upstream");

        Assert.Contains(told, says, StringComparison.Ordinal);
        Assert.Equal(status switch { HttpStatusCode.NotFound => Verdict.Good, HttpStatusCode.TooManyRequests => Verdict.Unclear, _ => Verdict.Bad }, verdict);
    }

    [Fact]
    public async Task An_upstream_that_nobody_reaches_is_told()
    {
        _gateway.Upstream.ThenThrow(new HttpRequestException("connection refused"));

        Assert.Contains("Nobody can be reached", (await TryAsync("upstream")).Says, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("redis", "ConnectionStrings:Redis")]
    [InlineData("issuer", "Access:Jwt:Authority")]
    public async Task What_is_not_set_is_not_tried(string name, string key)
    {
        var (verdict, says) = await TryAsync(name);

        Assert.Equal(Verdict.NotConfigured, verdict);
        Assert.StartsWith($"{key} is not set", says, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_issuers_keys_are_found()
    {
        await using var issuer = await Issuer.StartAsync();
        _gateway.With("Access:Jwt:Authority", issuer.Address).With("Access:Jwt:Audience", Issuer.Audience);

        Assert.Equal(Verdict.Good, (await TryAsync("issuer")).Verdict);
    }

    private Task<(Verdict Verdict, string Says)> TryAsync(string name) =>
        _gateway.Services.GetServices<IConnectionCheck>().Single(check => check.Name == name).TryAsync();
}
