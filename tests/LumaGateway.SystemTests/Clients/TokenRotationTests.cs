using Microsoft.AspNetCore.Http;

namespace LumaGateway.SystemTests.Clients;

/// <summary>The upstream token is replaced under load. Slow: the gateway reads the file every two seconds, and uses new content after two reads.</summary>
public sealed class TokenRotationTests
{
    /// <summary>The number of responses that show that a state is stable.</summary>
    private const int Many = 50;

    private string _accepted = "Bearer old-token";
    private int _refused;
    private int _withNew;

    [Fact]
    public async Task A_token_is_rotated_under_load_and_no_request_fails()
    {
        await using var upstream = await Loopback.StartAsync(RespondAsync);
        var folder = Directory.CreateTempSubdirectory("luma-rotation-");
        var file = Path.Combine(folder.FullName, "token");
        await WriteAsync(file, "old-token");
        await using var gateway = await GatewayProcess.StartAsync(Settings(upstream, file));

        var callers = Callers.Start(4, number => gateway.Client.GetAsync(
            new Uri(number % 5 == 0 ? $"/luma/generations/r{number}" : $"/generations/r{number}", UriKind.Relative), TestContext.Current.CancellationToken));
        await callers.WaitForResponsesAsync(Many);
        await WriteAsync(file, "old-token\nnew-token");
        await WaitForChangeAsync(gateway, times: 1);
        await callers.WaitForResponsesAsync(Many); // a request that began before the change has the old token only

        Volatile.Write(ref _accepted, "Bearer new-token");
        await Wait.UntilAsync(() => Volatile.Read(ref _withNew) > Many, () => $"The new token is not sent.\n{gateway.Log}");
        await WriteAsync(file, "new-token");
        await WaitForChangeAsync(gateway, times: 2);

        var (refused, withNew) = (Volatile.Read(ref _refused), Volatile.Read(ref _withNew));
        await Wait.UntilAsync(() => Volatile.Read(ref _withNew) > withNew + Many, () => $"The new token is not sent after the removal of the old one.\n{gateway.Log}");
        var figures = await callers.StopAsync();

        TestContext.Current.TestOutputHelper?.WriteLine($"{figures}; refused by the upstream: {_refused}");
        Assert.True(figures.With(status => status == 200) == figures.Count, $"{figures}\n{gateway.Log}");
        Assert.True(refused > 0, "The upstream never refused the old token, so the test did not rotate it.");
        Assert.Equal(refused, _refused);
        folder.Delete(recursive: true);
    }

    private static Task WaitForChangeAsync(GatewayProcess gateway, int times) => Wait.UntilAsync(
        () => gateway.Process.Output.Count(line => line.Contains("the new upstream token is in use", StringComparison.Ordinal)) == times,
        () => $"The gateway does not use the new token file.\n{gateway.Log}");

    private Task RespondAsync(HttpContext context)
    {
        if (context.Request.Headers.Authorization != Volatile.Read(ref _accepted))
        {
            Interlocked.Increment(ref _refused);
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Task.CompletedTask;
        }

        if (context.Request.Headers.Authorization == "Bearer new-token")
        {
            Interlocked.Increment(ref _withNew);
        }

        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync($$"""{"id":"{{context.Request.Path.Value!.Split('/')[^1]}}","state":"failed","failure_reason":"none"}""", context.RequestAborted);
    }

    private static Dictionary<string, string> Settings(Loopback upstream, string file) => new()
    {
        ["Luma:BaseAddress"] = upstream.Address,
        ["Luma:ApiKeyFile"] = file,
        ["Luma:Retries"] = "0",
        ["Limits:RequestsPerSecond"] = "0",
        ["Access:Clients:0:Name"] = "system-tests",
        ["Access:Clients:0:KeySha256"] = ReplicaGroup.DigestOf(GatewayProcess.ClientKey),
        ["Access:Clients:0:Rights:0"] = "read",
        ["Access:Clients:0:Rights:1"] = "raw",
    };

    /// <summary>Replaces the file atomically.</summary>
    private static async Task WriteAsync(string file, string tokens)
    {
        await File.WriteAllTextAsync($"{file}.new", tokens, TestContext.Current.CancellationToken);
        File.Move($"{file}.new", file, overwrite: true);
    }
}
