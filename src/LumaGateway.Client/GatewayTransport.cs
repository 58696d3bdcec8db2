using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace LumaGateway.Client;

/// <summary>Sends requests to the gateway. Every failure is a <see cref="LumaGatewayException"/>, except a cancellation by the caller. Thread-safe.</summary>
internal sealed class GatewayTransport(IHttpClientFactory clients, IOptionsMonitor<LumaGatewayClientOptions> options, TimeProvider clock)
{
    /// <summary>The name of the HTTP client, and of the activity source.</summary>
    public const string ClientName = "LumaGateway.Client";

    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(10);
    private static readonly ActivitySource Activities = new(ClientName);
    private static readonly ProductInfoHeaderValue UserAgent = new(ClientName, typeof(GatewayTransport).Assembly.GetName().Version!.ToString(3));

    public TimeProvider Clock => clock;
    public LumaGatewayClientOptions Options => options.CurrentValue;

    /// <summary>Starts the span of one call, with all of its attempts; null if there is no listener.</summary>
    public static Activity? StartCall(string operation, string? id = null)
    {
        var call = Activities.StartActivity($"luma_gateway {operation}", ActivityKind.Internal);
        return id is null ? call : call?.SetTag("luma_gateway.generation.id", id);
    }

    /// <summary>Repeats an attempt after transient faults. Starts none that would begin after the limit. Marks the current span of a call that failed.</summary>
    public async Task<T> RetryAsync<T>(Func<Task<T>> attempt, TimeSpan limit, Activity? call, CancellationToken cancellationToken)
    {
        var start = clock.GetTimestamp();
        for (var failures = 1; ; failures++)
        {
            try
            {
                return await attempt();
            }
            catch (LumaGatewayException fault)
            {
                var delay = DelayAfter(fault, failures);
                call?.AddEvent(new ActivityEvent("attempt failed", clock.GetUtcNow(), new ActivityTagsCollection { ["error.type"] = fault.Code }));
                if (!fault.IsTransient || delay > limit - clock.GetElapsedTime(start))
                {
                    call?.SetTag("error.type", fault.Code).SetStatus(ActivityStatusCode.Error);
                    throw;
                }

                await Task.Delay(delay, clock, cancellationToken);
            }
        }
    }

    /// <summary>Sends one request. Disposes the response after <paramref name="read"/>.</summary>
    public Task<T> SendOnceAsync<T>(
        Func<HttpRequestMessage> create, Func<HttpResponseMessage, CancellationToken, Task<T>> read, TimeSpan limit, CancellationToken cancellationToken) =>
        SendAsync(
            create,
            async (response, token) =>
            {
                using var owned = response;
                return await read(owned, token);
            },
            limit,
            cancellationToken);

    /// <summary>Sends one request. The result owns the response, unless an exception is thrown.</summary>
    public async Task<T> SendAsync<T>(
        Func<HttpRequestMessage> create, Func<HttpResponseMessage, CancellationToken, Task<T>> read, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(limit, clock);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        HttpResponseMessage? response = null;
        try
        {
            using var request = Complete(create());
            response = await clients.CreateClient(ClientName).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, linked.Token);
            return response.IsSuccessStatusCode
                ? await read(response, linked.Token)
                : throw await LumaGatewayException.OfAsync(response, clock.GetUtcNow(), linked.Token);
        }
        catch (Exception exception)
        {
            response?.Dispose();
            if (Translate(exception, response, cancellationToken) is { } fault)
            {
                throw fault;
            }

            throw;
        }
    }

    private static LumaGatewayException? Translate(Exception exception, HttpResponseMessage? response, CancellationToken cancellationToken) => exception switch
    {
        OperationCanceledException when !cancellationToken.IsCancellationRequested =>
            new LumaGatewayException(LumaGatewayException.TimedOut, "The gateway did not respond within the limit.", exception),
        HttpRequestException or IOException =>
            new LumaGatewayException(LumaGatewayException.Unreachable, "The connection to the gateway failed or was lost.", exception),
        JsonException or KeyNotFoundException or InvalidOperationException when response is not null =>
            new LumaGatewayException(LumaGatewayException.Unexpected, "The response is not one of the gateway.", exception) { Status = response.StatusCode },
        _ => null,
    };

    private HttpRequestMessage Complete(HttpRequestMessage request)
    {
        var address = Options.BaseAddress!.AbsoluteUri;
        request.RequestUri = new Uri($"{address.TrimEnd('/')}/{request.RequestUri!.OriginalString}");
        request.Headers.UserAgent.Add(UserAgent);
        if (Options.Key is { } key)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key); // HttpClient drops it when it follows a redirect
        }

        return request;
    }

    /// <summary>The gateway's <c>Retry-After</c>, at least half a second; else an exponential delay with jitter: callers must not return all at once.</summary>
    private static TimeSpan DelayAfter(LumaGatewayException fault, int failures)
    {
        var longest = FirstDelay * Math.Pow(2, Math.Min(failures - 1, 10));
        return fault.RetryAfter is { } asked ? (asked > FirstDelay ? asked : FirstDelay) : (longest < LongestDelay ? longest : LongestDelay) * (0.5 + (Random.Shared.NextDouble() / 2));
    }
}
