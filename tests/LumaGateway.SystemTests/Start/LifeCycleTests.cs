using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using Microsoft.AspNetCore.Http;

namespace LumaGateway.SystemTests.Start;

/// <summary>Start and shutdown of a replica, as an orchestrator controls them.</summary>
public sealed class LifeCycleTests : IAsyncDisposable
{
    private const string Late = "late";
    private const string Pending = "pending";

    /// <summary>Longer than any test.</summary>
    private const string Never = "00:05:00";

    private readonly ConcurrentQueue<string> _received = new();
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Loopback? _upstream;

    public async ValueTask DisposeAsync()
    {
        _release.TrySetResult();
        if (_upstream is not null)
        {
            await _upstream.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_stopping_gateway_is_unready_and_serves_requests_until_a_second_signal()
    {
        await using var gateway = await StartAsync(("Server:ShutdownDelay", Never));
        await gateway.ReadAsync("done");
        using var stream = await Waiter.ConnectAsync(gateway.Address, $"/generations/{Pending}/events");
        Assert.NotNull(await stream.TextUntilAsync("queued"));

        gateway.Process.Terminate();

        await WaitForShutdownAsync(gateway);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(gateway, "/health/ready"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(gateway, "/health/live"));
        using (var served = await gateway.GetAsync("done"))
        {
            Assert.Equal((HttpStatusCode.OK, true), (served.StatusCode, served.Headers.ConnectionClose));
        }

        gateway.Process.Terminate();

        Assert.NotEqual(0, await gateway.Process.WaitForExitAsync());
    }

    [Fact]
    public async Task A_stopping_gateway_completes_requests_exports_telemetry_and_exits_with_0()
    {
        var exported = new ConcurrentQueue<string>();
        await using var receiver = await Loopback.StartAsync(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            exported.Enqueue(Encoding.Latin1.GetString(body.ToArray()));
        });
        await using var gateway = await StartAsync(
            ("Server:ShutdownDelay", "00:00:00"),
            ("Server:ShutdownTimeout", Never),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.Address),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_BSP_SCHEDULE_DELAY", "600000")); // exports only at shutdown
        using var stream = await Waiter.ConnectAsync(gateway.Address, $"/generations/{Pending}/events");
        Assert.NotNull(await stream.TextUntilAsync("queued"));
        var late = gateway.ReadAsync(Late);
        await Wait.UntilAsync(() => _received.Contains(Late), () => "The upstream got no request.");

        gateway.Process.Terminate();

        await WaitForShutdownAsync(gateway);
        await WaitForRetryAsync(stream);
        _release.SetResult();
        await late;
        Assert.Equal(0, await gateway.Process.WaitForExitAsync());
        Assert.Contains(exported, body => body.Contains(Late, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Requests_over_the_shutdown_timeout_are_aborted()
    {
        await using var gateway = await StartAsync(("Server:ShutdownDelay", "00:00:00"), ("Server:ShutdownTimeout", "00:00:01"));
        var hanging = gateway.Client.GetAsync(new Uri($"/luma/generations/{Late}", UriKind.Relative), TestContext.Current.CancellationToken);
        await Wait.UntilAsync(() => _received.Contains(Late), () => "The upstream got no request.");

        gateway.Process.Terminate();

        await gateway.Process.WaitForExitAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => hanging);
    }

    [Fact]
    public async Task Health_log_and_metrics_contain_the_version_of_the_build()
    {
        var version = XDocument.Load(Path.Combine(Repository.Root, "Directory.Build.props")).Descendants("Version").Single().Value;
        var (gateway, management) = await FreePort.UseAsync(async port => (await StartAsync(("Management:Port", port.ToString(CultureInfo.InvariantCulture))), port));
        await using var _ = gateway;

        var live = await gateway.Client.GetFromJsonAsync<JsonElement>(new Uri("/health/live", UriKind.Relative), TestContext.Current.CancellationToken);
        var metrics = await gateway.Client.GetStringAsync(new Uri($"http://127.0.0.1:{management}/metrics"), TestContext.Current.CancellationToken);

        Assert.Equal(version, live.GetProperty("version").GetString());
        await gateway.Process.ReadAsync(line => line.Contains($"LumaGateway {version} started", StringComparison.Ordinal) ? line : null);
        Assert.Contains($"luma_gateway_build_version=\"{version}\"", metrics, StringComparison.Ordinal);
    }

    private static Task<string> WaitForShutdownAsync(GatewayProcess gateway) =>
        gateway.Process.ReadAsync(line => line.Contains("Shutdown started", StringComparison.Ordinal) ? line : null);

    private static async Task WaitForRetryAsync(Waiter stream)
    {
        while (await stream.ReadAsync() is var chunk && !chunk.Contains("retry: ", StringComparison.Ordinal))
        {
            Assert.NotEmpty(chunk); // the stream ended without retry
        }
    }

    private static async Task<HttpStatusCode> StatusAsync(GatewayProcess gateway, string path)
    {
        using var response = await gateway.Client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        return response.StatusCode;
    }

    /// <summary>Starts a gateway with an upstream of this test.</summary>
    private async Task<GatewayProcess> StartAsync(params (string Key, string Value)[] settings)
    {
        _upstream ??= await Loopback.StartAsync(RespondAsync);
        return await GatewayProcess.StartAsync(new Dictionary<string, string>(settings.Select(setting => new KeyValuePair<string, string>(setting.Key, setting.Value)))
        {
            ["Luma:BaseAddress"] = _upstream.Address,
            ["Luma:ApiKey"] = "token-of-the-life-cycle-tests",
            ["Access:Clients:0:Name"] = "system-tests",
            ["Access:Clients:0:KeySha256"] = ReplicaGroup.DigestOf(GatewayProcess.ClientKey),
            ["Access:Clients:0:Rights:0"] = "read",
            ["Access:Clients:0:Rights:1"] = "raw",
            ["Access:AllowAnonymous"] = "true",
        });
    }

    /// <summary>Returns a failed generation, a pending one, or a failed one after the test releases it.</summary>
    private async Task RespondAsync(HttpContext context)
    {
        var id = context.Request.Path.Value!.Split('/')[^1];
        _received.Enqueue(id);
        if (id is Late)
        {
            await _release.Task.WaitAsync(context.RequestAborted);
        }

        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync($$"""{"id":"{{id}}","state":"{{(id is Pending ? "pending" : "failed")}}"}""", context.RequestAborted);
    }
}
