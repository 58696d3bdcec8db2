using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net.Http.Headers;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;

namespace LumaGateway.Tests.Canary;

/// <summary>Every secret is a string that stands nowhere else; the gateway is led through all it can do and fail at; then every sink is searched.</summary>
public sealed partial class CanaryTests : IAsyncLifetime
{
    private const string Token = "CANARYupstreamtoken5d41402a";
    private const string SecondToken = "CANARYsecondtoken7d793037";
    private const string ClientKey = "CANARYclientkey9a0364b9";
    private const string WrongKey = "CANARYwrongkeye99bb8f8";
    private const string RedisPassword = "CANARYredispassword1f3870be";
    private const string SigningKey = "CANARYsigningkey0a1b2c3d4e5f60718293";

    private static readonly (string Method, string Path)[] Requests =
    [
        ("GET", "/generations/fine"), ("GET", "/generations/fine"), ("HEAD", "/generations/fine"), ("GET", "/generations/failing"),
        ("GET", "/generations/broken"), ("GET", "/generations/refused"), ("GET", "/generations/cut"), ("GET", "/generations/unknown"),
        ("GET", "/generations/bad%20id"), ("DELETE", "/generations/fine/cache"), ("POST", "/generations/fine"), ("GET", "/luma/generations/fine"),
        ("GET", "/luma/generations/refused"), ("GET", "/luma/generations/cut"), ("GET", "/health/live"), ("GET", "/health/ready"),
        ("GET", "/openapi/v1.json"), ("GET", "/swagger/index.html"), ("GET", "/nowhere"), ("OPTIONS", "/generations/fine"), ("GET", "/planted"),
    ];

    private readonly Gateway _gateway = new();
    private Sinks _sinks = null!;
    private Issuer _issuer = null!;
    private Loopback _upstream = null!;

    public async ValueTask InitializeAsync()
    {
        _issuer = await Issuer.StartAsync();
        _upstream = await Loopback.StartAsync(AnswerAsync);
        _gateway.WithUpstream(_upstream.Address).With("urls", "http://127.0.0.1:0")
            .With("Luma:ApiKey", $"{Token},{SecondToken}").With("Luma:Retries", "0").With("Luma:PropagateTrace", "true")
            .With("Access:Clients:0:KeySha256", Gateway.Digest(ClientKey))
            .With("Access:Jwt:Authority", _issuer.Address).With("Access:Jwt:Audience", Issuer.Audience)
            .With("Luma:Name", "account")
            .With("ConnectionStrings:Redis", $"127.0.0.1:1,password={RedisPassword},connectTimeout=100")
            .With("Cache:SigningKey", SigningKey)
            .With("Cors:AllowedOrigins:0", "https://app.example")
            .With("Logging:LogLevel:Default", "Trace").With("Logging:LogLevel:Microsoft.AspNetCore", "Trace")
            .With("Logging:LogLevel:Microsoft.AspNetCore.Hosting.Diagnostics", "Trace") // logs the whole address of each request
            .With("Logging:LogLevel:Microsoft.Extensions.Diagnostics.HealthChecks", "Trace").With("Logging:LogLevel:Yarp.ReverseProxy", "Trace")
            .With(services => services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace)));
        _gateway.UseKestrel();
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        await _issuer.DisposeAsync();
        _sinks?.Dispose();
    }

    [Fact]
    public async Task No_secret_gets_out()
    {
        var secrets = await LeadAsync(Requests);

        Assert.Empty(_sinks.Find(secrets));
        Assert.True(_sinks.CountOf("logs") > 500, "The logs were not at their most talkative.");
        Assert.True(_sinks.CountOf("spans") > 20, "The spans were not listened to.");
        Assert.True(_sinks.CountOf("metrics") > 100, "The metrics were not listened to.");
    }

    [Theory]
    [InlineData("logs")]
    [InlineData("spans")]
    [InlineData("metrics")]
    [InlineData("answers")]
    [InlineData("exceptions")]
    public async Task A_leak_that_is_planted_is_found(string sink)
    {
        _gateway.With(services => services.AddSingleton<IStartupFilter>(provider => new Leak(
            sink, provider.GetRequiredService<ILogger<Leak>>(), provider.GetRequiredService<IMeterFactory>())));

        var secrets = await LeadAsync(Requests.Where(request => request.Path is "/planted"));

        // A span ends after its response.
        await Poll.UntilAsync(() => _sinks.Find(secrets).Any(found => found.StartsWith(sink is "exceptions" ? "logs" : sink, StringComparison.Ordinal)));
    }

    /// <summary>Sends each of the requests with each of the credentials. Returns the secrets.</summary>
    private async Task<IReadOnlyList<string>> LeadAsync(IEnumerable<(string Method, string Path)> requests)
    {
        _sinks = new Sinks(_gateway.Services.GetRequiredService<IMeterFactory>());
        var good = _issuer.Sign(_gateway.Clock.GetUtcNow(), claims: [("client_id", "robot"), ("scope", "read raw")]);
        var expired = _issuer.Sign(_gateway.Clock.GetUtcNow(), life: TimeSpan.FromHours(-1), claims: ("client_id", "robot"));
        var forged = _issuer.Sign(_gateway.Clock.GetUtcNow(), credentials: new SigningCredentials(Issuer.ForeignKey("unheard-of"), SecurityAlgorithms.RsaSha256));
        (string Header, string Value)[] credentials =
        [
            ("X-Api-Key", ClientKey), ("Authorization", $"Bearer {ClientKey}"), ("X-Api-Key", WrongKey), ("Authorization", $"Bearer {WrongKey}"),
            ("Authorization", $"Basic {WrongKey}"), ("Cookie", $"session={WrongKey}"), ("baggage", $"key={WrongKey}"),
            ("Authorization", $"Bearer {good}"), ("Authorization", $"Bearer {expired}"), ("Authorization", $"Bearer {forged}"),
        ];

        using var client = _gateway.CreateClient();
        var ticket = await CreateTicketAsync(client);
        (string Method, string Path)[] withTickets =
        [
            .. requests, ("GET", $"/generations/fine?ticket={ticket}"), ("GET", $"/generations/fine/events?%74icket={ticket}"), ("GET", $"/generations/fine/image?a=b&ticket={ticket}"),
            ("GET", $"/generations/refused/video?ticket={ticket}"), ("POST", $"/generations/fine?ticket={ticket}"), ("GET", $"/generations/fine/nowhere?TICKET={ticket}"),
        ];
        foreach (var (header, value) in credentials.Append(("X-None", "none")))
        {
            foreach (var (method, path) in withTickets)
            {
                using var request = new HttpRequestMessage(new HttpMethod(method), path);
                request.Headers.TryAddWithoutValidation(header, value);
                using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
                await _sinks.KeepAsync("answers", response);
            }
        }

        _sinks.Keep(_gateway.Logs.GetSnapshot());
        string Signature(string jwt) => jwt.Split('.')[2];
        return [Token, SecondToken, ClientKey, WrongKey, RedisPassword, SigningKey, ticket, Signature(good), Signature(expired), Signature(forged)];
    }

    /// <summary>The response is not in the sinks: it contains the ticket by right.</summary>
    private static async Task<string> CreateTicketAsync(HttpClient client)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/generations/fine/ticket");
        request.Headers.Add("X-Api-Key", ClientKey);
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return (await response.JsonAsync()).GetProperty("ticket").GetString()!;
    }

    /// <summary>An upstream that fails in every way, and repeats what it was sent where the gateway must not pass it on.</summary>
    private static async Task AnswerAsync(HttpContext context)
    {
        var sent = string.Join(' ', context.Request.Headers.Select(header => $"{header.Key}: {header.Value}"));
        var id = context.Request.Path.Value!.Split('/')[^1];
        var (status, body) = id switch
        {
            "fine" => (200, Samples.CompletedAs("fine")),
            "failing" => (500, sent),
            "broken" => (200, sent),
            "refused" => (401, sent),
            "cut" => (0, ""),
            _ => (404, sent),
        };
        if (status == 0)
        {
            context.Abort();
            return;
        }

        context.Response.StatusCode = status;
        context.Response.Headers["X-Sent"] = sent;
        context.Response.Cookies.Append("sent", sent);
        await context.Response.WriteAsync(body, context.RequestAborted);
    }

    /// <summary>Puts a caller's credentials where they must never be.</summary>
    private sealed partial class Leak(string sink, ILogger<Leak> logger, IMeterFactory meters) : IStartupFilter
    {
        private readonly Counter<long> _counter = meters.Create("LumaGateway").CreateCounter<long>("leak");

        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(inner => context =>
            {
                var secret = context.Request.Headers["X-Api-Key"].ToString();
                switch (sink)
                {
                    case "logs":
                        Log.Called(logger, secret);
                        break;
                    case "spans":
                        Activity.Current?.SetTag("key", secret);
                        break;
                    case "metrics":
                        _counter.Add(1, new KeyValuePair<string, object?>("key", secret));
                        break;
                    case "answers":
                        context.Response.OnStarting(() =>
                        {
                            context.Response.Headers["X-Debug"] = secret;
                            return Task.CompletedTask;
                        });
                        break;
                    case "exceptions" when context.Request.Path == "/planted":
                        throw new InvalidOperationException($"{new AuthenticationHeaderValue("Bearer", secret)} went wrong");
                }

                return inner(context);
            });
            next(app);
        };

        private static partial class Log
        {
            [LoggerMessage(1, LogLevel.Trace, "Called with {Key}")]
            public static partial void Called(ILogger logger, string key);
        }
    }
}
