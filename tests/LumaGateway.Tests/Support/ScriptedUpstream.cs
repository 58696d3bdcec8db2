using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace LumaGateway.Tests.Support;

/// <summary>
/// An upstream that answers what it was told to, in order, and nothing else: the unscripted throws. Counts what it was asked, which is
/// the oracle for caching and sharing.
/// </summary>
internal sealed class ScriptedUpstream : HttpMessageHandler
{
    private readonly ConcurrentQueue<Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>>> _script = new();
    private readonly ConcurrentQueue<Received> _received = new();
    private readonly AwaitableCount _asked = new();
    private Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>>? _always;

    /// <summary>All requests, in the order they came.</summary>
    public IReadOnlyCollection<Received> Received => _received;

    public int Asked => _asked.Value;

    /// <summary>Until it was asked at least so often.</summary>
    public Task AskedAsync(int least) => _asked.ReachAsync(least);

    public ScriptedUpstream Then(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> answer)
    {
        _script.Enqueue(answer);
        return this;
    }

    public ScriptedUpstream ThenJson(string json, HttpStatusCode status = HttpStatusCode.OK) => Then((_, _) => Task.FromResult(Json(json, status)));

    public ScriptedUpstream ThenThrow(Exception exception) => Then((_, _) => Task.FromException<HttpResponseMessage>(exception));

    public ScriptedUpstream Always(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> answer)
    {
        _always = answer;
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
        _asked.Increment();

        var answer = _script.TryDequeue(out var next) ? next : _always;
        return answer is null
            ? throw new InvalidOperationException($"Unscripted: {request.Method} {request.RequestUri}")
            : answer(request, cancellationToken);
    }
}

internal sealed record Received(HttpMethod Method, Uri Address, IReadOnlyDictionary<string, string> Headers);
