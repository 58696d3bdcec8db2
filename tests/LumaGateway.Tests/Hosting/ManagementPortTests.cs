using System.Net;
using System.Text.RegularExpressions;
using LumaGateway.Hosting;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Hosting;

/// <summary>The separation of the management port from the public ports.</summary>
public sealed partial class ManagementPortTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task No_public_route_is_served_on_the_management_port()
    {
        _gateway.Upstream.AlwaysJson(Samples.CompletedAs("g1"));
        var (main, management) = ListeningGateway.Start(_gateway);
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Add("X-Api-Key", Gateway.Key);
        using (var cached = await client.SendGetAsync($"{main}generations/g1"))
        {
            Assert.Equal(HttpStatusCode.OK, cached.StatusCode);
        }

        var served = new List<string>();
        var routes = PublicRoutes().ToList();
        foreach (var (method, path) in routes)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(management, path));
            using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
            if (response.StatusCode is not HttpStatusCode.NotFound)
            {
                served.Add($"{method} {path}: {(int)response.StatusCode}");
            }
        }

        Assert.True(routes.Count > 25, $"Only {routes.Count} routes were tried.");
        Assert.Empty(served);
        Assert.Equal(1, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task Probes_are_served_on_every_port_and_a_public_route_on_the_management_port_is_a_problem()
    {
        var (main, management) = ListeningGateway.Start(_gateway);
        using var client = new HttpClient();

        foreach (var address in new[] { main, management })
        {
            using var live = await client.SendGetAsync($"{address}health/live");
            using var ready = await client.SendGetAsync($"{address}health/ready");
            Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (live.StatusCode, ready.StatusCode));
        }

        using var closed = await client.SendGetAsync($"{management}generations/g1");
        await closed.ProblemAsync(404, "not_found");
    }

    [Theory]
    [InlineData("urls", "http://127.0.0.1:9090")]
    [InlineData("urls", "http://*:8080;http://localhost:9090/")]
    [InlineData("urls", "http://[::]:9090")]
    [InlineData("http_ports", "8080;9090")]
    [InlineData("https_ports", "9090")]
    [InlineData("Kestrel:Endpoints:Public:Url", "http://*:9090")]
    [InlineData("Kestrel:Endpoints:Public:Url", "http://*:8080")]
    public void A_management_port_that_is_also_a_public_port_stops_the_start(string key, string value)
    {
        _gateway.With("Management:Port", "9090").With(key, value);

        Assert.ThrowsAny<Exception>(_gateway.CreateCaller);

        Assert.StartsWith("Management:Port must", Assert.Single(_gateway.StartFaults), StringComparison.Ordinal);
    }

    [Fact]
    public void The_default_port_is_a_public_port()
    {
        _gateway.With("Management:Port", "8080");

        Assert.ThrowsAny<Exception>(_gateway.CreateCaller);

        Assert.StartsWith("Management:Port must be a port of its own", Assert.Single(_gateway.StartFaults), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_management_port_can_be_an_endpoint_of_Kestrel()
    {
        _gateway.With("Management:Port", "9090").With("Kestrel:Endpoints:Public:Url", "http://*:8080").With("Kestrel:Endpoints:Management:Url", "http://127.0.0.1:9090");
        using var caller = _gateway.CreateCaller();

        using var live = await caller.SendGetAsync("/health/live");

        Assert.Equal(HttpStatusCode.OK, live.StatusCode);
    }

    /// <summary>All endpoints except those of management and the probes, with each of their methods, and Swagger UI, which is not an endpoint.</summary>
    private IEnumerable<(string Method, string Path)> PublicRoutes() => _gateway.Services.GetServices<EndpointDataSource>()
        .SelectMany(source => source.Endpoints)
        .OfType<RouteEndpoint>()
        .Where(route => route.Metadata.GetMetadata<ManagementPortMetadata>() is null && !route.RoutePattern.RawText!.StartsWith("/health", StringComparison.Ordinal))
        .SelectMany(route => (route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"])
            .Append("PUT")
            .Select(method => (method, Parameter().Replace(route.RoutePattern.RawText!, "g1"))))
        .Concat([("GET", "/swagger/index.html"), ("GET", "/swagger"), ("GET", "/openapi/v1.json"), ("GET", "/")]);

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Parameter();
}
