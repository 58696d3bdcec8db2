using System.Net;
using LumaGateway.Access;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Access;

/// <summary>The access log, read from the log of a gateway in this process.</summary>
public sealed class AccessLogTests : IDisposable
{
    private const string CallbackSecret = "secret-of-the-callback";

    private readonly Gateway _gateway = new();
    private readonly string _secretFile = Path.GetTempFileName();

    public void Dispose()
    {
        _gateway.Dispose();
        File.Delete(_secretFile);
    }

    [Fact]
    public async Task Without_the_setting_no_request_is_logged()
    {
        await SendAsync("/generations/g1", isLogged: false);
        await SendAsync("/generations/g1", key: null, isLogged: false);

        Assert.Empty(Events());
    }

    [Fact]
    public async Task A_miss_a_hit_in_memory_and_a_refusal_log_one_event_each()
    {
        _gateway.With("Logging:AccessLog", "All");

        await SendAsync("/generations/g1");
        await SendAsync("/generations/g1");
        await SendAsync("/generations/g1", key: null);

        Assert.Equal(
            [
                ("GET", "/generations/{id}", "g1", "200", "tests", "LumaGateway; fwd=miss; stored", "request-1"),
                ("GET", "/generations/{id}", "g1", "200", "tests", "LumaGateway; hit; ttl=3600", "request-2"),
                ("GET", "/generations/{id}", "g1", "401", "unknown", "-", "request-3"),
            ],
            Events().Select(Values));
    }

    [Fact]
    public async Task Errors_logs_only_requests_with_an_error_status()
    {
        _gateway.With("Logging:AccessLog", "Errors");

        await SendAsync("/generations/g1", isLogged: false);
        await SendAsync("/generations/a%20b");
        await SendAsync("/nothing/here");

        Assert.Equal(
            [("/generations/{id}", "-", "400"), ("(no route)", "-", "404")],
            Events().Select(one => (one["Route"], one["Id"], one["Status"])));
    }

    [Fact]
    public async Task The_duration_includes_the_response_of_the_upstream()
    {
        _gateway.With("Logging:AccessLog", "All");
        _gateway.Upstream.Then((_, _) =>
        {
            _gateway.Clock.Advance(TimeSpan.FromMilliseconds(1250));
            return Task.FromResult(ScriptedUpstream.Json(Samples.Failed("g1")));
        });

        await SendAsync("/generations/g1");

        Assert.Equal("1250", Assert.Single(Events())["DurationMs"]);
    }

    [Fact]
    public async Task A_read_that_fails_is_logged_with_its_id()
    {
        _gateway.With("Logging:AccessLog", "Errors");
        _gateway.Upstream.ThenJson("{}", HttpStatusCode.NotFound);

        await SendAsync("/generations/g404");

        var logged = Assert.Single(Events());
        Assert.Equal(("404", "g404"), (logged["Status"], logged["Id"]));
    }

    [Fact]
    public async Task A_client_that_disconnects_is_logged_with_status_499()
    {
        _gateway.With("Logging:AccessLog", "Errors");
        _gateway.Upstream.Always((_, deadline) => new TaskCompletionSource<HttpResponseMessage>().Task.WaitAsync(deadline));
        using var caller = _gateway.CreateCaller();
        using var disconnected = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

        var request = caller.GetAsync("/generations/g1", disconnected.Token);
        await _gateway.Upstream.WaitForRequestsAsync(1);
        await disconnected.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);

        await Poll.UntilAsync(() => Events().Any());
        Assert.Equal("499", Assert.Single(Events())["Status"]);
    }

    [Fact]
    public async Task Probes_are_not_logged_and_no_event_contains_a_path()
    {
        await File.WriteAllTextAsync(_secretFile, CallbackSecret, TestContext.Current.CancellationToken);
        _gateway.With("Logging:AccessLog", "All").With("Callbacks:SecretFile", _secretFile);

        await SendAsync("/health/live", isLogged: false);
        await SendAsync($"/callbacks/luma/{CallbackSecret}", method: HttpMethod.Post);

        var logged = Assert.Single(Events());
        Assert.Equal(("/callbacks/luma/{secret}", "-"), (logged["Route"], logged["Client"]));
        Assert.All(_gateway.Logs.GetSnapshot(), one => Assert.DoesNotContain(CallbackSecret, one.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Logging:AccessLog", "Some", "Logging:AccessLog must be None, Errors or All.")]
    [InlineData("Logging:AccesLog", "All", "Logging:AccesLog is not a setting. Did you mean Logging:AccessLog?")]
    public void A_mistyped_setting_stops_the_start(string key, string value, string fault)
    {
        _gateway.With(key, value);

        Assert.ThrowsAny<Exception>(_gateway.CreateCaller);

        Assert.Equal(fault, Assert.Single(_gateway.StartFaults));
    }

    /// <summary>Sends a request, and waits for its event: the event is written after the response.</summary>
    private async Task SendAsync(string path, string? key = Gateway.Key, HttpMethod? method = null, bool isLogged = true)
    {
        _gateway.Upstream.AlwaysJson(Samples.Failed("g1"));
        using var caller = _gateway.CreateCallerWithoutKey();
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, path);
        var before = Events().Count();
        request.Headers.Add("X-Request-Id", $"request-{before + 1}");
        if (key is not null)
        {
            request.Headers.Add("X-Api-Key", key);
        }

        using var response = await caller.SendAsync(request, TestContext.Current.CancellationToken);
        if (isLogged)
        {
            await Poll.UntilAsync(() => Events().Count() > before);
        }
    }

    private IEnumerable<Dictionary<string, string?>> Events() => _gateway.Logs.GetSnapshot()
        .Where(one => one.Category == typeof(AccessLogMiddleware).FullName && one.Id.Id == 1031)
        .Select(one => one.StructuredState!.ToDictionary());

    private static (string?, string?, string?, string?, string?, string?, string?) Values(Dictionary<string, string?> one) =>
        (one["Method"], one["Route"], one["Id"], one["Status"], one["Client"], one["CacheStatus"], one["RequestId"]);
}
