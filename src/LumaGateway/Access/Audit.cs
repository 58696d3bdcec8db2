using System.Net;

namespace LumaGateway.Access;

/// <summary>
/// One log event for each request that is refused, which is counted too, and for each purge, create and delete. Names clients and their addresses (see <c>ForwardedHeaders</c>), never their credentials; gives routes
/// and paths as they were sent, percent-encoded.
/// </summary>
internal sealed partial class Audit(AccessMetrics metrics, ILogger<Audit> logger)
{
    public void Refused(HttpContext context, string client, Refusal reason)
    {
        metrics.Refused(client, reason);
        Log.Refused(logger, client, context.Connection.RemoteIpAddress, context.Request.Method, RouteOf(context), reason, context.TraceIdentifier);
    }

    public void Did(HttpContext context, string client, Rights what, string outcome) =>
        Log.Did(
            logger, client, context.Connection.RemoteIpAddress, what, context.Request.Method, RouteOf(context), context.Request.Path.ToUriComponent(), outcome,
            context.TraceIdentifier);

    private static string RouteOf(HttpContext context) => (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "";

    private static partial class Log
    {
        [LoggerMessage(1011, LogLevel.Information, "Refused {Client} at {Address} {Method} {Route}: {Reason} (request {RequestId}).")]
        public static partial void Refused(ILogger logger, string client, IPAddress? address, string method, string route, Refusal reason, string requestId);

        [LoggerMessage(1012, LogLevel.Information, "{Client} at {Address} used its right {Right}: {Method} {Route} on {Path} gave {Outcome} (request {RequestId}).")]
        public static partial void Did(
            ILogger logger, string client, IPAddress? address, Rights right, string method, string route, string path, string outcome, string requestId);
    }
}
