using System.Net;
using LumaGateway.EnduranceTests.Chaos;

namespace LumaGateway.EnduranceTests.Load;

/// <summary>Callers that disconnect at once, on every route and over HTTP/1.1 and HTTP/2. Afterwards all resources of the requests are released.</summary>
[TestClass(DisableParallelization = true)]
public sealed class AbortStormTests(ITestOutputHelper output)
{
    private const int Aborts = 12_000;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task Twenty_thousand_aborted_requests_leak_no_slot_waiter_or_poll_target()
    {
        int[] ports = [FreePort.Reserve(), FreePort.Reserve(), FreePort.Reserve()];
        await using var group = await ReplicaGroup.StartAsync(
            1,
            null,
            ("Kestrel:Endpoints:A:Url", $"http://127.0.0.1:{ports[0]}"),
            ("Kestrel:Endpoints:B:Url", $"http://127.0.0.1:{ports[1]}"),
            ("Kestrel:Endpoints:B:Protocols", "Http2"),
            ("Kestrel:Endpoints:C:Url", $"http://127.0.0.1:{ports[2]}"),
            ("Management:Port", $"{ports[2]}"),
            ("Limits:Concurrency", "100"),
            ("Logging:LogLevel:LumaGateway", "Warning"));
        var gateway = group.Replicas[0];
        await gateway.ReadAsync(SandboxProcess.SampleId);

        var http1 = await new AbortStorm(Address(ports[0]), GatewayProcess.ClientKey, AllRoutes).OverHttp1Async(Aborts, TestContext.Current.CancellationToken);
        var http2 = await new AbortStorm(Address(ports[1]), GatewayProcess.ClientKey, AllRoutes).OverHttp2Async(Aborts, TestContext.Current.CancellationToken);
        output.WriteLine($"{http1} requests aborted over HTTP/1.1, {http2} over HTTP/2.");

        Assert.InRange(http1 + http2, 20_000, 2 * Aborts);
        Assert.InRange(http2, 8_000, Aborts);
        using var scraper = new HttpClient();
        var active = "";
        await Wait.UntilAsync(
            async () =>
            {
                var metrics = await scraper.GetStringAsync(new Uri(Address(ports[2]), "/metrics"), TestContext.Current.CancellationToken);
                active = ActiveResources.NonZeroIn(metrics);
                return active.Length == 0;
            },
            Timeout,
            () => $"{active}\n{gateway.Log}");
        output.WriteLine("All resources are released.");
        using var caller = new HttpClient();
        caller.DefaultRequestHeaders.Add("X-Api-Key", GatewayProcess.ClientKey);
        using var hit = await caller.GetAsync(new Uri(Address(ports[0]), $"/generations/{SandboxProcess.SampleId}"), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, hit.StatusCode);
    }

    private static IReadOnlyList<AbortedRequest> AllRoutes { get; } =
    [
        new("GET", $"/generations/{SandboxProcess.SampleId}"),
        new("HEAD", $"/generations/{SandboxProcess.SampleId}"),
        new("GET", $"/generations/{SandboxProcess.SampleId}"),
        new("GET", "/generations/storm-a"),
        new("GET", $"/generations/{SandboxProcess.SampleId}"),
        new("GET", "/generations?ids=storm-a,storm-b,storm-c"),
        new("GET", $"/generations/{SandboxProcess.SampleId}"),
        new("GET", "/generations/storm-a", null, ("Prefer", "wait=50")),
        new("GET", "/generations/storm-a/events"),
        new("GET", "/generations/events?ids=storm-a,storm-b"),
        new("GET", $"/generations/{SandboxProcess.SampleId}/video"),
        new("DELETE", "/generations/storm-d/cache"),
        new("GET", $"/luma/generations/{SandboxProcess.SampleId}"),
        new("DELETE", "/luma/generations/storm-e"),
        new("POST", "/luma/generations", """{"prompt":"a"}"""),
        new("POST", "/luma/generations", """{"prompt":"b"}""", ("Idempotency-Key", "storm")),
        new("GET", "/openapi/v1.json"),
        new("GET", "/health/ready"),
        new("GET", "/nothing"),
    ];

    private static Uri Address(int port) => new($"http://127.0.0.1:{port}");
}
