using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;

namespace LumaGateway.SystemTests.Start;

/// <summary>From the start to the end of a replica, as an orchestrator sees it.</summary>
public sealed class LifeCycleTests
{
    [Fact]
    public async Task A_gateway_told_to_stop_is_unready_serves_on_for_a_while_finishes_what_is_under_way_sends_off_its_telemetry_and_ends_with_0()
    {
        var exported = new ConcurrentQueue<string>();
        await using var receiver = await Loopback.StartAsync(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            exported.Enqueue(Encoding.Latin1.GetString(body.ToArray()));
        });
        await using var sandbox = await SandboxProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(new Dictionary<string, string>(Fleet.SettingsFor(sandbox, null))
        {
            ["Server:ShutdownDelay"] = "00:00:02",
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.Address,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "600000", // nothing leaves before the end
        });
        await gateway.ReadAsync("done-warm");
        using var stream = await Waiter.ConnectAsync(gateway.Address, "/generations/processing-for-ever/events");
        await stream.UntilAsync("processing");
        var late = gateway.ReadAsync("fault-latency-4000-late");
        await Wait.UntilAsync(async () => await sandbox.CountAsync("fault-latency-4000-late") > 0, TimeSpan.FromSeconds(5), () => "The late answer is not asked for.");

        var begun = TimeProvider.System.GetTimestamp();
        gateway.Process.Terminate();

        await Wait.UntilAsync(async () => await StatusAsync("/health/ready") is HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(1), () => "It goes on being ready.");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync("/health/live"));
        using (var served = await gateway.GetAsync("done-warm"))
        {
            Assert.Equal((HttpStatusCode.OK, true), (served.StatusCode, served.Headers.ConnectionClose));
        }

        Assert.True(TimeProvider.System.GetElapsedTime(begun) < TimeSpan.FromSeconds(2), "The machine is too slow for this test.");
        Assert.Contains("retry: ", await stream.ReadAsync(), StringComparison.Ordinal);
        await late;
        Assert.Equal(0, await gateway.Process.WaitForExitAsync(TimeSpan.FromSeconds(20)));
        Assert.Contains(exported, body => body.Contains("fault-latency-4000-late", StringComparison.Ordinal));

        async Task<HttpStatusCode> StatusAsync(string path)
        {
            using var answer = await gateway.Client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task A_second_signal_ends_it_at_once()
    {
        await using var sandbox = await SandboxProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(new Dictionary<string, string>(Fleet.SettingsFor(sandbox, null)) { ["Server:ShutdownDelay"] = "00:01:00" });
        using var stream = await Waiter.ConnectAsync(gateway.Address, "/generations/processing-for-ever/events");
        await stream.UntilAsync("processing");

        gateway.Process.Terminate();
        await gateway.Process.ReadAsync(line => line.Contains("Told to stop", StringComparison.Ordinal) ? line : null);
        gateway.Process.Terminate();

        Assert.NotEqual(0, await gateway.Process.WaitForExitAsync(TimeSpan.FromSeconds(3)));
    }

    [Fact]
    public async Task What_is_not_finished_in_time_is_cut_off_and_the_gateway_ends_all_the_same()
    {
        await using var sandbox = await SandboxProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(new Dictionary<string, string>(Fleet.SettingsFor(sandbox, null))
        {
            ["Server:ShutdownDelay"] = "00:00:00",
            ["Server:ShutdownTimeout"] = "00:00:01",
        });
        await sandbox.BreakAsync(new SandboxFault("hang"));
        var hanging = gateway.Client.PostAsync(new Uri("/luma/generations", UriKind.Relative), new StringContent("{}"), TestContext.Current.CancellationToken);
        await Wait.UntilAsync(async () => (await sandbox.CountsAsync()).Total > 0, TimeSpan.FromSeconds(5), () => "Nothing is under way.");

        gateway.Process.Terminate();

        await gateway.Process.WaitForExitAsync(TimeSpan.FromSeconds(5));
        await Assert.ThrowsAsync<HttpRequestException>(() => hanging);
    }

    [Fact]
    public async Task The_version_is_that_of_the_build_in_health_log_and_metrics()
    {
        var version = XDocument.Load(Path.Combine(Repository.Root, "Directory.Build.props")).Descendants("Version").Single().Value;
        var management = FreePort.Next().ToString(CultureInfo.InvariantCulture);
        await using var sandbox = await SandboxProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(new Dictionary<string, string>(Fleet.SettingsFor(sandbox, null)) { ["Management:Port"] = management });

        var live = await gateway.Client.GetFromJsonAsync<JsonElement>(new Uri("/health/live", UriKind.Relative), TestContext.Current.CancellationToken);
        var metrics = await gateway.Client.GetStringAsync(new Uri($"http://127.0.0.1:{management}/metrics"), TestContext.Current.CancellationToken);

        Assert.Equal(version, live.GetProperty("version").GetString());
        Assert.Contains(gateway.Process.Output, line => line.Contains($"LumaGateway {version} is started", StringComparison.Ordinal));
        Assert.Contains($"luma_gateway_build_version=\"{version}\"", metrics, StringComparison.Ordinal);
    }
}
