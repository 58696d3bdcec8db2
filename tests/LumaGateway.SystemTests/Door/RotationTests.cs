using Microsoft.AspNetCore.Http;

namespace LumaGateway.SystemTests.Door;

public sealed class RotationTests
{
    /// <summary>The gateway looks every two seconds and believes what it saw twice.</summary>
    private static readonly TimeSpan UntilSeen = TimeSpan.FromSeconds(6);

    [Fact]
    public async Task A_token_is_rotated_under_load_and_no_request_fails()
    {
        var good = "Bearer old-token";
        var refused = 0;
        await using var upstream = await Loopback.StartAsync(context =>
        {
            if (context.Request.Headers.Authorization != Volatile.Read(ref good))
            {
                Interlocked.Increment(ref refused);
                context.Response.StatusCode = StatusCodes.Status401Unauthorized;
                return Task.CompletedTask;
            }

            context.Response.ContentType = "application/json";
            return context.Response.WriteAsync($$"""{"id":"{{context.Request.Path.Value!.Split('/')[^1]}}","state":"failed","failure_reason":"none"}""", context.RequestAborted);
        });
        var folder = Directory.CreateTempSubdirectory("luma-rotation-");
        var file = Path.Combine(folder.FullName, "token");
        await WriteAsync(file, "old-token");
        await using var gateway = await GatewayProcess.StartAsync(Settings(upstream, file));

        var load = SteadyLoad.Begin(200, number => gateway.Client.GetAsync(
            new Uri(number % 5 == 0 ? $"/luma/generations/r{number}" : $"/generations/r{number}", UriKind.Relative), TestContext.Current.CancellationToken));
        await Wait.ForAsync(TimeSpan.FromSeconds(2));
        await WriteAsync(file, "old-token\nnew-token");
        await Wait.ForAsync(UntilSeen);
        Volatile.Write(ref good, "Bearer new-token");
        await Wait.ForAsync(TimeSpan.FromSeconds(2));
        await WriteAsync(file, "new-token");
        await Wait.ForAsync(UntilSeen);
        var refusedBefore = Volatile.Read(ref refused);
        await Wait.ForAsync(TimeSpan.FromSeconds(1));
        var figures = await load.EndAsync();

        TestContext.Current.TestOutputHelper?.WriteLine($"{figures}; refused by the upstream: {refused}");
        Assert.True(figures.Count > 1000, $"{figures}");
        Assert.Equal(figures.Count, figures.With(status => status == 200));
        Assert.True(refused > 0, "The old token was never refused: nothing was rotated.");
        Assert.Equal(refusedBefore, refused);
        folder.Delete(recursive: true);
    }

    private static Dictionary<string, string> Settings(Loopback upstream, string file) => new()
    {
        ["Luma:BaseAddress"] = upstream.Address,
        ["Luma:ApiKeyFile"] = file,
        ["Luma:Retries"] = "0",
        ["Limits:RequestsPerSecond"] = "0",
        ["Access:Clients:0:Name"] = "system-tests",
        ["Access:Clients:0:KeySha256"] = Fleet.DigestOf(GatewayProcess.ClientKey),
        ["Access:Clients:0:Rights:0"] = "read",
        ["Access:Clients:0:Rights:1"] = "raw",
    };

    /// <summary>As a careful operator does it: aside, then moved into place.</summary>
    private static async Task WriteAsync(string file, string tokens)
    {
        await File.WriteAllTextAsync($"{file}.new", tokens, TestContext.Current.CancellationToken);
        File.Move($"{file}.new", file, overwrite: true);
    }
}
