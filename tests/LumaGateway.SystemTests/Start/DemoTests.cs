using System.Globalization;
using System.Text.RegularExpressions;

namespace LumaGateway.SystemTests.Start;

/// <summary>The demo: one command, without key and network.</summary>
public sealed partial class DemoTests
{
    [Fact]
    public async Task The_demo_prints_a_working_curl_command_and_ends_its_gateway_when_it_stops()
    {
        var (demo, line) = await FreePort.UseAsync(StartAsync);
        await using var _ = demo;
        var gateway = new Uri(line.Groups["url"].Value);
        Assert.Contains(demo.Output, text => text.StartsWith("Gateway ", StringComparison.Ordinal));
        Assert.Contains(demo.Output, text => text.StartsWith("Swagger ", StringComparison.Ordinal));

        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, gateway);
        request.Headers.TryAddWithoutValidation(line.Groups["name"].Value, line.Groups["value"].Value);
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.True(response.IsSuccessStatusCode);
        Assert.Contains(".mp4", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);

        demo.Terminate();

        Assert.Equal(0, await demo.WaitForExitAsync());
        await Wait.UntilAsync(() => IsStoppedAsync(client, gateway), () => "The gateway outlived the demo.");
    }

    private static async Task<(ChildProcess Demo, Match Curl)> StartAsync(int port)
    {
        var demo = ChildProcess.Start(
            ChildProcess.Dotnet,
            [
                Path.Combine(AppContext.BaseDirectory, "LumaGateway.Sandbox.dll"),
                "--port", port.ToString(CultureInfo.InvariantCulture),
                "--gateway-port", FreePort.Reserve().ToString(CultureInfo.InvariantCulture),
            ]);
        try
        {
            return (demo, await demo.ReadAsync(line => Curl().Match(line) is { Success: true } match ? match : null));
        }
        catch
        {
            await demo.DisposeAsync();
            throw;
        }
    }

    private static async Task<bool> IsStoppedAsync(HttpClient client, Uri gateway)
    {
        try
        {
            using var response = await client.GetAsync(gateway, TestContext.Current.CancellationToken);
            return false;
        }
        catch (HttpRequestException)
        {
            return true;
        }
    }

    [GeneratedRegex("""^curl -i -H "(?<name>[^:]+): (?<value>[^"]+)" (?<url>\S+)$""")]
    private static partial Regex Curl();
}
