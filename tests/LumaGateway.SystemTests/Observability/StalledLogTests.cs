using System.Diagnostics;
using System.Net;

namespace LumaGateway.SystemTests.Observability;

/// <summary>A reader of stdout that stops reading, such as a log agent with a full disk.</summary>
public sealed class StalledLogTests
{
    private const int Connections = 300;
    private const int RequestsEach = 20;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(180);

    [Fact]
    public async Task Unread_output_blocks_neither_requests_nor_health_checks()
    {
        await using var sandbox = await SandboxProcess.StartAsync();
        var address = new Uri($"http://127.0.0.1:{FreePort.Reserve()}");
        using var gateway = StartWithUnreadOutput(sandbox, address);
        try
        {
            using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = Connections + 10 }) { BaseAddress = address, Timeout = Limit };
            await Wait.UntilAsync(() => IsReadyAsync(client), Limit, () => "The gateway did not become ready.");

            await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => SendRefusedRequestsAsync(client)));

            using var health = await client.GetAsync(new Uri("/health/live", UriKind.Relative), TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        }
        finally
        {
            gateway.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Starts the gateway with redirected output that is never read.</summary>
    private static Process StartWithUnreadOutput(SandboxProcess sandbox, Uri address)
    {
        var start = new ProcessStartInfo(GatewayProgram.Tested.File, GatewayProgram.Tested.First) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in ReplicaGroup.SettingsFor(sandbox, redis: null))
        {
            start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        start.Environment["ASPNETCORE_URLS"] = address.GetLeftPart(UriPartial.Authority);
        start.Environment["Logging__LogLevel__Microsoft.AspNetCore"] = "Debug"; // many lines per request, so that the pipe fills up
        start.Environment["Logging__Console__MaxQueueLength"] = "100";
        return Process.Start(start)!;
    }

    private static async Task SendRefusedRequestsAsync(HttpClient client)
    {
        for (var i = 0; i < RequestsEach; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/generations/g1");
            request.Headers.Add("X-Api-Key", "a-wrong-key");
            using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        }
    }

    private static async Task<bool> IsReadyAsync(HttpClient client)
    {
        try
        {
            using var response = await client.GetAsync(new Uri("/health/ready", UriKind.Relative), TestContext.Current.CancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
