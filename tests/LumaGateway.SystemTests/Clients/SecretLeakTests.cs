using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace LumaGateway.SystemTests.Clients;

/// <summary>
/// Searches for secrets in all output of the gateway: responses, metrics, Redis, OTLP and logs at level Trace. The id of a generation must be found, which
/// checks the search itself. Needs redis-server.
/// </summary>
public sealed class SecretLeakTests
{
    private const string Token = "CANARYupstreamtoken5d41402a";
    private const string SecondToken = "CANARYsecondtoken7d793037";
    private const string ClientKey = "CANARYclientkey9a0364b9";
    private const string WrongKey = "CANARYwrongkeye99bb8f8";
    private const string WrongJwt = "eyJhbGciOiJSUzI1NiJ9.eyJDQU5BUlkiOiJqd3QifQ.CANARYsignature6512bd43";
    private const string RedisPassword = "CANARYredispassword1f3870be";
    private const string SigningKey = "CANARYsigningkey0a1b2c3d4e5f60718293";
    private const string Id = "MARKERgeneration";

    [Fact]
    public async Task The_running_system_leaks_no_secret()
    {
        Tool.Require("redis-server");
        var sinks = new ConcurrentDictionary<string, StringBuilder>();
        void Record(string sink, string text)
        {
            var kept = sinks.GetOrAdd(sink, _ => new StringBuilder());
            lock (kept)
            {
                kept.AppendLine(text);
            }
        }

        await using var redis = await RedisServer.StartAsync("--requirepass", RedisPassword);
        await using var upstream = await Loopback.StartAsync(RespondAsync);
        await using var receiver = await Loopback.StartAsync(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            Record(context.Request.Path.Value!, Encoding.Latin1.GetString(body.ToArray()));
        });

        var (gateway, management) = await FreePort.UseAsync(async port => (await GatewayProcess.StartAsync(Settings(redis, upstream, receiver, port)), port));
        await using (gateway)
        {
            await SendRequestsAsync(gateway.Address, (response, body) => Record("responses", $"{response}\n{body}"));
            using var scraper = new HttpClient(new SocketsHttpHandler { UseProxy = false });
            Record("scraped", await scraper.GetStringAsync(new Uri($"http://127.0.0.1:{management}/metrics"), TestContext.Current.CancellationToken));
            await RecordRedisAsync(redis, Record);
            await Wait.UntilAsync(() => sinks.ContainsKey("/v1/traces") && sinks.ContainsKey("/v1/metrics"), () => "Nothing was exported.");
            gateway.Process.Terminate();
            await gateway.Process.WaitForExitAsync();
            Record("console", gateway.Log);
        }

        Assert.All(["responses", "scraped", "redis", "/v1/traces", "/v1/metrics", "console"], sink => Assert.True(sinks.ContainsKey(sink), $"{sink} is empty."));
        Assert.All(["responses", "redis", "/v1/traces", "console"], sink => Assert.Contains(Id, sinks[sink].ToString(), StringComparison.Ordinal));
        var found = sinks.SelectMany(sink => sink.Value.ToString().Split('\n')
            .Where(line => line.Contains("CANARY", StringComparison.OrdinalIgnoreCase) || line.Contains(Encoded("CANARY"), StringComparison.Ordinal))
            .Select(line => $"{sink.Key}: {line}"));
        Assert.Empty(found);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", sinks.Select(sink => $"{sink.Key} {sink.Value.Length} characters")));
    }

    private static string Encoded(string text) => Convert.ToBase64String(Encoding.ASCII.GetBytes(text));

    private static async Task SendRequestsAsync(Uri address, Action<HttpResponseMessage, string> record)
    {
        (string Header, string Value)[] credentials =
        [
            ("X-Api-Key", ClientKey), ("Authorization", $"Bearer {ClientKey}"), ("X-Api-Key", WrongKey), ("Authorization", $"Bearer {WrongKey}"),
            ("Authorization", $"Bearer {WrongJwt}"), ("Cookie", $"a={WrongKey}"), ("baggage", $"a={WrongKey}"),
        ];
        string[] paths =
        [
            $"/generations/{Id}", $"/generations/{Id}", "/generations/failing", "/generations/broken", "/generations/refused", "/generations/unknown", "/generations/bad%20id",
            $"/luma/generations/{Id}", "/luma/generations/refused", "/health/ready", "/openapi/v1.json", "/swagger/index.html", "/metrics", "/nowhere",
        ];
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address, Timeout = Wait.Timeout };
        foreach (var (header, value) in credentials)
        {
            foreach (var path in paths)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, path);
                request.Headers.TryAddWithoutValidation(header, value);
                using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
                record(response, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            }
        }
    }

    private static async Task RecordRedisAsync(RedisServer redis, Action<string, string> record)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync($"{redis.Endpoint},password={RedisPassword},allowAdmin=true");
        await foreach (var key in connection.GetServer(redis.Endpoint).KeysAsync().WithCancellation(TestContext.Current.CancellationToken))
        {
            var value = await connection.GetDatabase().KeyDumpAsync(key);
            record("redis", $"{key} {Encoding.Latin1.GetString(value ?? [])}");
        }
    }

    /// <summary>Returns the request headers in responses that the gateway must not forward.</summary>
    private static Task RespondAsync(HttpContext context)
    {
        var sent = string.Join(' ', context.Request.Headers.Select(header => $"{header.Key}: {header.Value}"));
        var id = context.Request.Path.Value!.Split('/')[^1];
        context.Response.Headers["X-Sent"] = sent;
        context.Response.StatusCode = id switch
        {
            Id or "broken" => StatusCodes.Status200OK,
            "failing" => StatusCodes.Status500InternalServerError,
            "refused" => StatusCodes.Status401Unauthorized,
            _ => StatusCodes.Status404NotFound,
        };
        return context.Response.WriteAsync(id is Id ? $$"""{"id":"{{Id}}","state":"failed","failure_reason":"none"}""" : sent, context.RequestAborted);
    }

    private static Dictionary<string, string> Settings(RedisServer redis, Loopback upstream, Loopback receiver, int management) => new()
    {
        ["Luma:BaseAddress"] = upstream.Address,
        ["Luma:ApiKey"] = $"{Token},{SecondToken}",
        ["Luma:Name"] = "upstream",
        ["Luma:Retries"] = "0",
        ["Luma:PropagateTrace"] = "true",
        ["Server:ShutdownDelay"] = "00:00:00",
        ["Access:Clients:0:Name"] = "canaries",
        ["Access:Clients:0:KeySha256"] = ReplicaGroup.DigestOf(ClientKey),
        ["Access:Clients:0:Rights:0"] = "read",
        ["Access:Clients:0:Rights:1"] = "raw",
        ["Access:Jwt:Authority"] = receiver.Address, // not an issuer, so that fetching the keys fails
        ["Access:Jwt:Audience"] = "gateway",
        ["ConnectionStrings:Redis"] = $"{redis.Endpoint},password={RedisPassword}",
        ["Cache:SigningKey"] = SigningKey,
        ["Management:Port"] = $"{management}",
        ["Logging:LogLevel:Default"] = "Trace",
        ["Logging:LogLevel:Microsoft.AspNetCore"] = "Trace",
        ["Logging:LogLevel:Microsoft.Extensions.Diagnostics.HealthChecks"] = "Trace",
        ["Logging:LogLevel:Yarp.ReverseProxy"] = "Trace",
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.Address,
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        ["OTEL_BSP_SCHEDULE_DELAY"] = "200",
        ["OTEL_METRIC_EXPORT_INTERVAL"] = "500",
    };
}
