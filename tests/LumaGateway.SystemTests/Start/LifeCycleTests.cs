using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using Microsoft.AspNetCore.Http;

namespace LumaGateway.SystemTests.Start;

/// <summary>From the start to the end of a replica, as an orchestrator sees it. Needs nothing but the gateway.</summary>
public sealed class LifeCycleTests : IAsyncDisposable
{
    private const string Late = "late";
    private const string Pending = "pending";

    /// <summary>Longer than a test may take: what comes before its end does not come from it.</summary>
    private const string NotInThisTest = "00:05:00";

    private readonly ConcurrentQueue<string> _asked = new();
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
    public async Task A_gateway_told_to_stop_is_unready_and_serves_on_until_a_second_signal_ends_it_at_once()
    {
        await using var gateway = await StartAsync(("Server:ShutdownDelay", NotInThisTest));
        await gateway.ReadAsync("done");
        using var stream = await Waiter.ConnectAsync(gateway.Address, $"/generations/{Pending}/events");
        Assert.NotNull(await stream.TextUntilAsync("queued"));

        gateway.Process.Terminate();

        await ToldToStopAsync(gateway);
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
    public async Task A_gateway_that_stops_finishes_what_is_under_way_sends_off_its_telemetry_and_ends_with_0()
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
            ("Server:ShutdownTimeout", NotInThisTest),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.Address),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_BSP_SCHEDULE_DELAY", "600000")); // nothing leaves before the end
        using var stream = await Waiter.ConnectAsync(gateway.Address, $"/generations/{Pending}/events");
        Assert.NotNull(await stream.TextUntilAsync("queued"));
        var late = gateway.ReadAsync(Late);
        await Wait.UntilAsync(() => _asked.Contains(Late), () => "The late answer is not asked for.");

        gateway.Process.Terminate();

        await ToldToStopAsync(gateway);
        await ToldToComeAgainAsync(stream);
        _release.SetResult();
        await late;
        Assert.Equal(0, await gateway.Process.WaitForExitAsync());
        Assert.Contains(exported, body => body.Contains(Late, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_not_finished_in_time_is_cut_off_and_the_gateway_ends_all_the_same()
    {
        await using var gateway = await StartAsync(("Server:ShutdownDelay", "00:00:00"), ("Server:ShutdownTimeout", "00:00:01"));
        var hanging = gateway.Client.GetAsync(new Uri($"/luma/generations/{Late}", UriKind.Relative), TestContext.Current.CancellationToken);
        await Wait.UntilAsync(() => _asked.Contains(Late), () => "Nothing is under way.");

        gateway.Process.Terminate();

        await gateway.Process.WaitForExitAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => hanging);
    }

    [Fact]
    public async Task The_version_is_that_of_the_build_in_health_log_and_metrics()
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

    private static Task<string> ToldToStopAsync(GatewayProcess gateway) =>
        gateway.Process.ReadAsync(line => line.Contains("Shutdown started", StringComparison.Ordinal) ? line : null);

    private static async Task ToldToComeAgainAsync(Waiter stream)
    {
        while (await stream.ReadAsync() is var piece && !piece.Contains("retry: ", StringComparison.Ordinal))
        {
            Assert.NotEmpty(piece); // it ended without a word
        }
    }

    private static async Task<HttpStatusCode> StatusAsync(GatewayProcess gateway, string path)
    {
        using var answer = await gateway.Client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }

    /// <summary>In front of an upstream of this test's own.</summary>
    private async Task<GatewayProcess> StartAsync(params (string Key, string Value)[] settings)
    {
        _upstream ??= await Loopback.StartAsync(AnswerAsync);
        return await GatewayProcess.StartAsync(new Dictionary<string, string>(settings.Select(setting => new KeyValuePair<string, string>(setting.Key, setting.Value)))
        {
            ["Luma:BaseAddress"] = _upstream.Address,
            ["Luma:ApiKey"] = "token-of-the-life-cycle-tests",
            ["Access:Clients:0:Name"] = "system-tests",
            ["Access:Clients:0:KeySha256"] = Fleet.DigestOf(GatewayProcess.ClientKey),
            ["Access:Clients:0:Rights:0"] = "read",
            ["Access:Clients:0:Rights:1"] = "raw",
            ["Access:AllowAnonymous"] = "true",
        });
    }

    /// <summary>A generation that is finished, one that never is, and one that is told of once the test says so.</summary>
    private async Task AnswerAsync(HttpContext context)
    {
        var id = context.Request.Path.Value!.Split('/')[^1];
        _asked.Enqueue(id);
        if (id is Late)
        {
            await _release.Task.WaitAsync(context.RequestAborted);
        }

        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync($$"""{"id":"{{id}}","state":"{{(id is Pending ? "pending" : "failed")}}"}""", context.RequestAborted);
    }
}
