using System.Net;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Hosting;

/// <summary>Metrics and status are served by the port of the connection. Uses real ports.</summary>
public sealed class ManagementTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task Metrics_are_served_only_on_the_management_port()
    {
        var (main, management) = ListeningGateway.Start(_gateway);
        using var client = new HttpClient();

        using var served = await client.SendGetAsync($"{management}metrics");
        using var refused = await client.SendGetAsync($"{main}metrics");

        Assert.Equal(HttpStatusCode.OK, served.StatusCode);
        Assert.Contains("# TYPE", await served.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await refused.ProblemAsync(404, "not_found");
    }

    [Theory]
    [InlineData("GET", "Host")]
    [InlineData("GET", "X-Forwarded-Host")]
    [InlineData("GET", "X-Forwarded-Port")]
    [InlineData("POST", "Host")]
    [InlineData("HEAD", "Host")]
    [InlineData("OPTIONS", "Host")]
    public async Task A_forged_host_header_does_not_open_the_management_routes(string method, string header)
    {
        var (main, management) = ListeningGateway.Start(_gateway);
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(new HttpMethod(method), $"{main}metrics");
        request.Headers.TryAddWithoutValidation(header, header is "X-Forwarded-Port" ? $"{management.Port}" : management.Authority);

        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task A_page_of_an_allowed_origin_can_read_neither_metrics_nor_status()
    {
        _gateway.With("Cors:AllowedOrigins:0", "https://app.example");
        var (main, management) = ListeningGateway.Start(_gateway);
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Add("Origin", "https://app.example");

        using var metrics = await client.SendGetAsync($"{management}metrics");
        using var status = await client.SendGetAsync($"{management}status");
        using var health = await client.SendGetAsync($"{main}health/live");

        Assert.All([metrics, status], response => Assert.Equal((HttpStatusCode.OK, ""), (response.StatusCode, response.Header("Access-Control-Allow-Origin"))));
        Assert.Equal("https://app.example", health.Header("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task The_port_is_added_and_the_configured_addresses_stay()
    {
        var (main, management) = ListeningGateway.Start(_gateway);
        using var client = new HttpClient();

        using var health = await client.SendGetAsync($"{main}health/live");

        Assert.NotEqual(main.Port, management.Port);
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
    }

    [Fact]
    public async Task Without_a_management_port_no_metrics_are_served()
    {
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync("/metrics");

        await response.ProblemAsync(404, "not_found");
    }

    [Fact]
    public async Task The_metrics_include_those_of_the_gateway()
    {
        _gateway.Upstream.AlwaysJson(Samples.Failed("g1"));
        var (main, management) = ListeningGateway.Start(_gateway);
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Add("X-Api-Key", Gateway.Key);

        using var read = await client.SendGetAsync($"{main}generations/g1");
        using var metrics = await client.SendGetAsync($"{management}metrics");

        Assert.Contains("luma_gateway_cache_results", await metrics.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }
}
