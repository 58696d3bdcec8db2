using System.Net;
using System.Text;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>
/// Stands between the replicas and the callers and does one wrong thing now and then, once the callers are at work: whoever doubts that a checker can fail,
/// tries <c>tests/endurance chaos --lie …</c>.
/// </summary>
internal sealed class Lie(string kind, ChaosSystem system, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private const int OneIn = 200;
    private const int FirstTruths = 300;

    private int _count;

    public static HttpMessageHandler Between(string? kind, ChaosSystem system, HttpMessageHandler inner) => kind is null ? inner : new Lie(kind, system, inner);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        var path = request.RequestUri!.AbsolutePath;
        if (Interlocked.Increment(ref _count) is var count && (count < FirstTruths || count % OneIn != 0)
            && !(kind is "no-recovery" && path is "/health/ready" && count > FirstTruths)
            && !(kind is "purged-again" && response.StatusCode is HttpStatusCode.NotFound && path.Contains("/deleted-", StringComparison.Ordinal) && count > FirstTruths)
            && !(kind is "second-post" && request.Method == HttpMethod.Post))
        {
            return response;
        }

        switch (kind)
        {
            case "internal-error":
                return Instead(response, HttpStatusCode.InternalServerError, """{"code":"internal_error"}""", "application/problem+json");
            case "no-problem":
                return Instead(response, HttpStatusCode.BadGateway, "<html>Bad gateway</html>", "text/html");
            case "lost":
                return Instead(response, HttpStatusCode.BadGateway, """{"code":"upstream_failed"}""", "application/problem+json");
            case "no-answer":
                response.Dispose();
                throw new HttpRequestException("A lie.");
            case "other-id":
                return Instead(response, response.StatusCode, (await TextAsync()).Replace("\"id\":\"", "\"id\":\"x", StringComparison.Ordinal), "application/json");
            case "other-body":
                return Instead(response, response.StatusCode, (await TextAsync()).Replace("cat", "dog", StringComparison.Ordinal), "application/json");
            case "unfinished-again":
                return Instead(response, response.StatusCode, (await TextAsync()).Replace("completed", "processing", StringComparison.Ordinal), "application/json");
            case "purged-again" when response.StatusCode is HttpStatusCode.NotFound:
                return Instead(response, HttpStatusCode.OK, """{"state":"completed"}""", "application/json");
            case "purged-again":
                return response;
            case "secret":
                response.Headers.Add("X-Upstream", Secrets.Token(0));
                return response;
            case "asks-much":
                await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => AskUpstreamAsync(HttpMethod.Get, "/luma/generations/done-much", null)));
                return response;
            case "second-post":
                await AskUpstreamAsync(HttpMethod.Post, "/luma/generations", await request.Content!.ReadAsStringAsync(cancellationToken));
                return response;
            case "no-recovery":
                return Instead(response, HttpStatusCode.OK, """{"status":"degraded"}""", "application/json");
            default:
                throw new InvalidOperationException($"Nobody knows the lie {kind}.");
        }

        Task<string> TextAsync() => response.Content.ReadAsStringAsync(cancellationToken);

        async Task AskUpstreamAsync(HttpMethod method, string path, string? body)
        {
            using var ask = new HttpRequestMessage(method, new Uri(system.Sandbox.Address, path));
            ask.Headers.Add("Authorization", $"Bearer {Secrets.Token(0)}");
            ask.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
            using var answer = await base.SendAsync(ask, cancellationToken);
        }
    }

    private static HttpResponseMessage Instead(HttpResponseMessage truth, HttpStatusCode status, string body, string type)
    {
        var lie = new HttpResponseMessage(status) { Content = new StringContent(body, Encoding.UTF8, type), RequestMessage = truth.RequestMessage };
        if (truth.Headers.ETag is { } tag && status is HttpStatusCode.OK)
        {
            lie.Headers.ETag = tag;
        }

        truth.Dispose();
        return lie;
    }
}
