using LumaGateway.Contracts;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.Options;

namespace LumaGateway.Access;

/// <summary>
/// Logs each request when it ends, as <see cref="AccessLogOptions"/> says. An event contains the route's template instead of the path, because a path can
/// contain a secret. Must be outside all middleware that responds, and inside <c>UseClientDisconnects</c>.
/// </summary>
internal sealed partial class AccessLogMiddleware(RequestDelegate next, IOptions<AccessLogOptions> options, TimeProvider clock, ILogger<AccessLogMiddleware> logger)
{
    /// <summary>The status that nginx logs for a client that disconnected before the response.</summary>
    private const int ClientDisconnected = 499;

    private readonly int _lowestStatus = options.Value.AccessLog is AccessLogMode.All ? 0 : StatusCodes.Status400BadRequest;

    public async Task InvokeAsync(HttpContext context)
    {
        var (endpoint, id) = (context.GetEndpoint(), context.Request.RouteValues["id"] as string); // the exception handler clears both
        if (endpoint?.Metadata.GetMetadata<IDisableHttpMetricsMetadata>() is not null)
        {
            await next(context);
            return;
        }

        var start = clock.GetTimestamp();
        var status = ClientDisconnected;
        try
        {
            await next(context);
            status = context.Response.StatusCode;
        }
        finally
        {
            if (status >= _lowestStatus)
            {
                Write(context, endpoint, id, status, clock.GetElapsedTime(start));
            }
        }
    }

    private void Write(HttpContext context, Endpoint? endpoint, string? id, int status, TimeSpan duration) => Log.Request(
        logger,
        context.Request.Method,
        (endpoint as RouteEndpoint)?.RoutePattern.RawText ?? "(no route)",
        GenerationId.TryParse(id, null, out var valid) ? valid.ToString() : "-",
        status,
        Math.Round(duration.TotalMilliseconds, 3),
        Client.NameOf(context) ?? "-",
        context.Response.Headers["Cache-Status"] is [{ } cacheStatus] ? cacheStatus : "-",
        context.TraceIdentifier);

    private static partial class Log
    {
        [LoggerMessage(1031, LogLevel.Information, "{Method} {Route}, id {Id}: status {Status} in {DurationMs} ms, client {Client}, cache {CacheStatus} (request {RequestId}).")]
        public static partial void Request(
            ILogger logger, string method, string route, string id, int status, double durationMs, string client, string cacheStatus, string requestId);
    }
}
