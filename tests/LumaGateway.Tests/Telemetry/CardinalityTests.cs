using System.Net.Http.Headers;
using LumaGateway.Tests.Hosting;

namespace LumaGateway.Tests.Telemetry;

/// <summary>Whatever callers send, the number of series stays what the settings and the code make it.</summary>
public sealed class CardinalityTests : IAsyncLifetime
{
    private readonly Gateway _gateway = new();
    private Issuer _issuer = null!;

    public async ValueTask InitializeAsync() => _issuer = await Issuer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task Ten_thousand_ids_and_a_thousand_hostile_client_names_make_no_new_series()
    {
        _gateway
            .With("Access:Jwt:Authority", _issuer.Address).With("Access:Jwt:Audience", Issuer.Audience)
            .With("Access:Clients:0:Limits:RequestsPerSecond", "0").With("Access:Clients:0:Limits:Concurrency", "0");
        _gateway.Upstream.Always((request, _) => Task.FromResult(ScriptedUpstream.Json(Samples.Failed(request.RequestUri!.Segments[^1]))));
        var listening = Listening.Start(_gateway);
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 16 }) { BaseAddress = listening.Main };

        await AskOnceOfEachKindAsync(client);
        await SeriesAsync(listening); // a scrape is a request too
        var before = await SeriesAsync(listening);
        await Parallel.ForAsync(0, 10_000, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (number, _) =>
            await AskAsync(client, $"/generations/many-{number}", "X-Api-Key", Gateway.Key));
        await Parallel.ForAsync(0, 1_000, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (number, _) =>
        {
            await AskAsync(client, "/generations/g1", "Authorization", Token($"hostile-{number}"));
            await AskAsync(client, "/generations/g1", "X-Api-Key", $"wrong-{number}");
            await AskAsync(client, $"/nowhere/{number}", "X-Request-Id", $"mine-{number}");
        });
        var after = await SeriesAsync(listening);

        Assert.Equal(10_001, _gateway.Upstream.Asked);
        Assert.Empty(after.Except(before));
    }

    private async Task AskOnceOfEachKindAsync(HttpClient client)
    {
        await AskAsync(client, "/generations/g1", "X-Api-Key", Gateway.Key);
        await AskAsync(client, "/generations/g1", "Authorization", Token("robot"));
        await AskAsync(client, "/generations/g1", "X-Api-Key", "wrong");
        await AskAsync(client, "/nowhere", "X-Request-Id", "mine");
    }

    private string Token(string name) => "Bearer " + _issuer.Sign(_gateway.Clock.GetUtcNow(), claims: [("client_id", name), ("scope", "read")]);

    private static async Task AskAsync(HttpClient client, string path, string header, string value)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation(header, value);
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>
    /// Names and attributes of all series about requests. Connections and the runtime's come and go by themselves, and this process's HTTP client
    /// is also the test's own.
    /// </summary>
    private static async Task<HashSet<string>> SeriesAsync(Listening listening)
    {
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Accept.Add(MediaTypeWithQualityHeaderValue.Parse("text/plain"));
        using var response = await client.AskAsync(new Uri(listening.Management, "metrics").AbsoluteUri);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return [.. text.Split('\n')
            .Where(line => line.StartsWith("luma_gateway", StringComparison.Ordinal)
                || line.StartsWith("http_server", StringComparison.Ordinal)
                || line.StartsWith("aspnetcore", StringComparison.Ordinal))
            .Select(line => line[..line.LastIndexOf(' ')])
            .Select(line => line.EndsWith('}') || !line.Contains(' ', StringComparison.Ordinal) ? line : line[..line.LastIndexOf(' ')])];
    }
}
