using System.Net;
using System.Text;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>
/// Injects violations of one kind into some of the responses, to test that the checkers find them: <c>tests/endurance chaos --violation KIND</c>.
/// The kinds are the cases of <see cref="SendAsync"/>.
/// </summary>
internal sealed class ViolationInjector(string kind, ChaosSystem system, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private const int Interval = 200;
    private const int FirstViolation = 300;

    private int _count;
    private int _isWaiterLeaked;
    private string? _lastCreated;

    public static HttpMessageHandler Wrap(string? kind, ChaosSystem system, HttpMessageHandler inner) => kind is null ? inner : new ViolationInjector(kind, system, inner);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        var path = request.RequestUri!.AbsolutePath;
        if (Interlocked.Increment(ref _count) is var count && (count < FirstViolation || count % Interval != 0)
            && !(kind is "no-recovery" && path is "/health/ready" && count > FirstViolation)
            && !(kind is "purged-again" && response.StatusCode is HttpStatusCode.NotFound && path.Contains("/deleted-", StringComparison.Ordinal) && count > FirstViolation)
            && !(kind is "second-post" or "other-create" && request.Method == HttpMethod.Post))
        {
            return response;
        }

        switch (kind)
        {
            case "internal-error":
                return Replace(response, HttpStatusCode.InternalServerError, """{"code":"internal_error"}""", "application/problem+json");
            case "no-problem":
                return Replace(response, HttpStatusCode.BadGateway, "<html>Bad gateway</html>", "text/html");
            case "lost":
                return Replace(response, HttpStatusCode.BadGateway, """{"code":"upstream_failed"}""", "application/problem+json");
            case "no-answer":
                response.Dispose();
                throw new HttpRequestException("An injected failure.");
            case "other-id":
                return Replace(response, response.StatusCode, (await TextAsync()).Replace("\"id\":\"", "\"id\":\"x", StringComparison.Ordinal), "application/json");
            case "other-body":
                return Replace(response, response.StatusCode, (await TextAsync()).Replace("cat", "dog", StringComparison.Ordinal), "application/json");
            case "unfinished-again":
                return Replace(response, response.StatusCode, (await TextAsync()).Replace("completed", "processing", StringComparison.Ordinal), "application/json");
            case "purged-again" when response.StatusCode is HttpStatusCode.NotFound:
                return Replace(response, HttpStatusCode.OK, """{"state":"completed"}""", "application/json");
            case "purged-again":
                return response;
            case "left-behind":
                if (Interlocked.Exchange(ref _isWaiterLeaked, 1) == 0)
                {
                    _ = LeakWaiterAsync($"/generations/{Ids.Processing(0)}/events");
                }

                return response;
            case "other-create" when request.Method == HttpMethod.Post && response.StatusCode is HttpStatusCode.OK or HttpStatusCode.Created:
                var created = await TextAsync();
                return Replace(response, response.StatusCode, Interlocked.Exchange(ref _lastCreated, created) ?? created, "application/json");
            case "other-create":
                return response;
            case "secret":
                response.Headers.Add("X-Upstream", Secrets.Token(0));
                return response;
            case "asks-much":
                await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => SendUpstreamAsync(HttpMethod.Get, "/luma/generations/done-much", null)));
                return response;
            case "second-post":
                await SendUpstreamAsync(HttpMethod.Post, "/luma/generations", await request.Content!.ReadAsStringAsync(cancellationToken));
                return response;
            case "no-recovery":
                return Replace(response, HttpStatusCode.OK, """{"status":"degraded"}""", "application/json");
            default:
                throw new InvalidOperationException($"Unknown violation: {kind}.");
        }

        Task<string> TextAsync() => response.Content.ReadAsStringAsync(cancellationToken);

        async Task SendUpstreamAsync(HttpMethod method, string path, string? body)
        {
            using var upstreamRequest = new HttpRequestMessage(method, new Uri(system.Sandbox.Address, path));
            upstreamRequest.Headers.Add("Authorization", $"Bearer {Secrets.Token(0)}");
            upstreamRequest.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
            using var upstreamResponse = await base.SendAsync(upstreamRequest, cancellationToken);
        }
    }

    /// <summary>A caller that never disconnects and reconnects after a restart of the replica.</summary>
    private async Task LeakWaiterAsync(string path)
    {
        while (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(system.Replicas[0].Gateway.Address, path));
                request.Headers.Add("X-Api-Key", GatewayProcess.ClientKey);
                using var response = await base.SendAsync(request, TestContext.Current.CancellationToken);
                await response.Content.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or InvalidOperationException)
            {
                await Wait.ForAsync(TimeSpan.FromMilliseconds(200)); // the replica does not run
            }
        }
    }

    private static HttpResponseMessage Replace(HttpResponseMessage original, HttpStatusCode status, string body, string type)
    {
        var replacement = new HttpResponseMessage(status) { Content = new StringContent(body, Encoding.UTF8, type), RequestMessage = original.RequestMessage };
        if (original.Headers.ETag is { } tag && status is HttpStatusCode.OK)
        {
            replacement.Headers.ETag = tag;
        }

        original.Dispose();
        return replacement;
    }
}
