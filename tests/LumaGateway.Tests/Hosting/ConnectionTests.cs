using System.Net;
using LumaGateway.Hosting;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Hosting;

/// <summary>The result of each connection check.</summary>
public sealed class ConnectionTests : IAsyncDisposable
{
    private readonly Gateway _gateway = new Gateway().With("Luma:Retries", "0");

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Theory]
    [InlineData(HttpStatusCode.NotFound, """{"error":{"code":"task_not_found"}}""", "accepts the token")]
    [InlineData(HttpStatusCode.Unauthorized, "{}", "Rejects the token")]
    [InlineData(HttpStatusCode.PaymentRequired, "{}", "out of credit")]
    [InlineData(HttpStatusCode.TooManyRequests, "{}", "throttles requests")]
    [InlineData(HttpStatusCode.OK, "<html>", "not in the dialect relay")]
    [InlineData(HttpStatusCode.InternalServerError, "{}", "but fails")]
    public async Task The_message_describes_the_response_of_the_upstream(HttpStatusCode response, string body, string expected)
    {
        _gateway.Upstream.ThenJson(body, response);

        var (status, message) = await CheckAsync("upstream");

        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Equal(
            response switch { HttpStatusCode.NotFound => ConnectionStatus.Ok, HttpStatusCode.TooManyRequests => ConnectionStatus.Uncertain, _ => ConnectionStatus.Failed }, status);
    }

    [Fact]
    public async Task An_unreachable_upstream_is_reported()
    {
        _gateway.Upstream.ThenThrow(new HttpRequestException("connection refused"));

        Assert.Contains("Cannot be reached", (await CheckAsync("upstream")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_account_is_checked_and_the_worst_one_is_the_result()
    {
        _gateway.WithAccounts(TestAccounts.Named("a"), TestAccounts.Named("b"), TestAccounts.Named("c"))
            .Upstream.ThenJson("""{"error":{"code":"task_not_found"}}""", HttpStatusCode.NotFound).ThenJson("{}", HttpStatusCode.Unauthorized).ThenJson("{}", HttpStatusCode.TooManyRequests);

        var (status, message) = await CheckAsync("upstream");

        Assert.Equal(ConnectionStatus.Failed, status);
        Assert.Contains("a: Responds at Luma:Accounts:0:BaseAddress in the dialect relay", message, StringComparison.Ordinal);
        Assert.Contains("b: Rejects the token of Luma:Accounts:1:ApiKey", message, StringComparison.Ordinal);
        Assert.Contains("c: Responds at Luma:Accounts:2:BaseAddress, but throttles", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("redis", "ConnectionStrings:Redis")]
    [InlineData("issuer", "Access:Jwt:Authority")]
    public async Task A_connection_that_is_not_configured_is_not_checked(string name, string key)
    {
        var (status, message) = await CheckAsync(name);

        Assert.Equal(ConnectionStatus.NotConfigured, status);
        Assert.StartsWith($"{key} is not set", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_signing_keys_of_the_issuer_are_found()
    {
        await using var issuer = await Issuer.StartAsync();
        _gateway.With("Access:Jwt:Authority", issuer.Address).With("Access:Jwt:Audience", Issuer.Audience);

        Assert.Equal(ConnectionStatus.Ok, (await CheckAsync("issuer")).Status);
    }

    private Task<ConnectionCheckResult> CheckAsync(string name) =>
        _gateway.Services.GetServices<IConnectionCheck>().Single(check => check.Name == name).CheckAsync();
}
