using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace LumaGateway.Tests.Support;

/// <summary>
/// An upstream with scripted responses, in order. A request without a response throws. It records the requests, so that tests can check caching and single flight.
/// </summary>
internal sealed class ScriptedUpstream : HttpMessageHandler
{
    private readonly ConcurrentQueue<Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>>> _script = new();
    private readonly ConcurrentQueue<Received> _received = new();
    private readonly AwaitableCount _count = new();
    private Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>>? _always;

    /// <summary>All requests, in order.</summary>
    public IReadOnlyCollection<Received> Received => _received;

    public int RequestCount => _count.Value;

    /// <summary>Waits for at least this number of requests.</summary>
    public Task WaitForRequestsAsync(int count) => _count.ReachAsync(count);

    public ScriptedUpstream Then(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> respond)
    {
        _script.Enqueue(respond);
        return this;
    }

    public ScriptedUpstream ThenJson(string json, HttpStatusCode status = HttpStatusCode.OK) => Then((_, _) => Task.FromResult(Json(json, status)));

    public ScriptedUpstream ThenThrow(Exception exception) => Then((_, _) => Task.FromException<HttpResponseMessage>(exception));

    public ScriptedUpstream Always(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> respond)
    {
        _always = respond;
        return this;
    }

    public ScriptedUpstream AlwaysJson(string json, HttpStatusCode status = HttpStatusCode.OK) => Always((_, _) => Task.FromResult(Json(json, status)));

    public static HttpResponseMessage Json(string json, HttpStatusCode status = HttpStatusCode.OK) =>
        new(status) { Content = new StringContent(json, Encoding.UTF8, "application/json") };

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        _received.Enqueue(new Received(
            request.Method,
            request.RequestUri!,
            request.Headers.ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase)));
        _count.Increment();

        var respond = _script.TryDequeue(out var next) ? next : _always;
        return respond is null
            ? throw new InvalidOperationException($"No scripted response for {request.Method} {request.RequestUri}")
            : respond(request, cancellationToken);
    }
}

internal sealed record Received(HttpMethod Method, Uri Address, IReadOnlyDictionary<string, string> Headers);
