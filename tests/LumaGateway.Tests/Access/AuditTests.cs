using System.Net;
using LumaGateway.Tests.Proxy;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.Logging.Testing;

namespace LumaGateway.Tests.Access;

public sealed class AuditTests : IDisposable
{
    private const int Refused = 1011;
    private const int Used = 1012;

    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Theory]
    [InlineData(null, "GET", "/generations/g1", "unknown", "/generations/{id}", "NoCredential")]
    [InlineData("wrong-key", "GET", "/generations/g1", "unknown", "/generations/{id}", "UnknownKey")]
    [InlineData("reader-key", "DELETE", "/generations/g1/cache", "reader", "/generations/{id}/cache", "MissingPermission")]
    public async Task A_refused_request_logs_one_event_with_client_route_and_reason(string? key, string method, string path, string client, string route, string reason)
    {
        _gateway.With("Access:Clients:1:Name", "reader").With("Access:Clients:1:KeySha256", Gateway.Digest("reader-key"));

        await SendAsync(key, method, path);

        var state = Assert.Single(Events(Refused)).StructuredState!.ToDictionary();
        Assert.Equal(
            (client, method, route, reason, "audited-1"),
            (state["Client"], state["Method"], state["Route"]!.TrimEnd('/'), state["Reason"], state["RequestId"]));
    }

    [Fact]
    public async Task A_client_over_its_limit_logs_one_event()
    {
        _gateway.With("Limits:Burst", "1").With("Limits:RequestsPerSecond", "1");
        _gateway.Upstream.AlwaysJson(Samples.Failed("g1"));

        await SendAsync(Gateway.Key, "GET", "/generations/g1");
        await SendAsync(Gateway.Key, "GET", "/generations/g1");

        Assert.Contains("RateLimit", Assert.Single(Events(Refused)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_purge_logs_one_event_with_its_outcome()
    {
        await SendAsync(Gateway.Key, "DELETE", "/generations/g1/cache");

        var state = Assert.Single(Events(Used)).StructuredState!.ToDictionary();
        Assert.Equal(
            ("tests", "Purge", "/generations/g1/cache", "204", "audited-1"),
            (state["Client"], state["Permission"], state["Path"], state["Outcome"], state["RequestId"]));
    }

    [Theory]
    [InlineData("POST", "/luma/generations", "Create", HttpStatusCode.Created, "201")]
    [InlineData("POST", "/luma/generations/g1/upscale", "Create", HttpStatusCode.InternalServerError, "500")]
    [InlineData("DELETE", "/luma/generations/g1", "Delete", HttpStatusCode.NoContent, "204")]
    [InlineData("DELETE", "/luma/generations/g1", "Delete", HttpStatusCode.NotFound, "404")]
    public async Task A_create_and_a_delete_log_one_event_with_the_status_of_the_upstream(
        string method, string path, string permission, HttpStatusCode upstreamStatus, string outcome)
    {
        using var raw = new RawGateway();
        raw.Upstream.AlwaysJson("{}", upstreamStatus);

        await SendAsync(raw.Gateway, Gateway.Key, method, path);

        var state = Assert.Single(Events(raw.Gateway, Used)).StructuredState!.ToDictionary();
        Assert.Equal(
            ("tests", permission, path, outcome, "audited-1"),
            (state["Client"], state["Permission"], state["Path"], state["Outcome"], state["RequestId"]));
    }

    [Fact]
    public async Task The_event_of_a_create_names_the_generation_that_it_made()
    {
        using var raw = new RawGateway();
        raw.Upstream.AlwaysJson("""{"id":"g7","state":"pending"}""", HttpStatusCode.Created);

        await SendAsync(raw.Gateway, Gateway.Key, "POST", "/luma/generations");

        Assert.Equal("g7", Assert.Single(Events(raw.Gateway, Used)).StructuredState!.ToDictionary()["Job"]);
    }

    [Fact]
    public async Task A_create_without_an_upstream_response_logs_one_event()
    {
        using var raw = new RawGateway();
        raw.Upstream.Always((_, _) => Task.FromException<HttpResponseMessage>(new HttpRequestException("connection lost")));

        await SendAsync(raw.Gateway, Gateway.Key, "POST", "/luma/generations");

        var state = Assert.Single(Events(raw.Gateway, Used)).StructuredState!.ToDictionary();
        Assert.Equal(("Create", "502"), (state["Permission"], state["Outcome"]));
    }

    [Theory]
    [InlineData("POST", "/luma/generations")]
    [InlineData("DELETE", "/luma/generations/g1")]
    public async Task A_refused_create_or_delete_logs_only_the_refusal(string method, string path)
    {
        _gateway.With("Access:Clients:1:Name", "reader").With("Access:Clients:1:KeySha256", Gateway.Digest("reader-key"));

        await SendAsync("reader-key", method, path);

        Assert.Single(Events(Refused));
        Assert.Empty(Events(Used));
    }

    [Fact]
    public async Task A_read_logs_no_event()
    {
        _gateway.Upstream.AlwaysJson(Samples.Failed("g1"));

        await SendAsync(Gateway.Key, "GET", "/generations/g1");

        Assert.Empty(Events(Refused).Concat(Events(Used)));
    }

    [Fact]
    public async Task No_event_contains_a_key()
    {
        await SendAsync("CANARY-of-a-wrong-key", "GET", "/generations/g1");
        await SendAsync(Gateway.Key, "DELETE", "/generations/g1/cache");

        Assert.Single(Events(Refused));
        Assert.Single(Events(Used));
        Assert.DoesNotContain(_gateway.Logs.GetSnapshot(), record => record.Message.Contains("CANARY", StringComparison.Ordinal)
            || record.Message.Contains(Gateway.Key, StringComparison.Ordinal) || record.Message.Contains(Gateway.Digest(Gateway.Key), StringComparison.Ordinal));
    }

    private IEnumerable<FakeLogRecord> Events(int id) => Events(_gateway, id);

    private static IEnumerable<FakeLogRecord> Events(Gateway gateway, int id) => gateway.Logs.GetSnapshot().Where(record => record.Id.Id == id);

    private Task SendAsync(string? key, string method, string path) => SendAsync(_gateway, key, method, path);

    private static async Task SendAsync(Gateway gateway, string? key, string method, string path)
    {
        using var client = gateway.CreateCallerWithoutKey();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Add("X-Request-Id", "audited-1");
        if (key is not null)
        {
            request.Headers.Add("X-Api-Key", key);
        }

        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
