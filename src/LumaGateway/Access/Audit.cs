using System.Net;
using LumaGateway.Problems;
using LumaGateway.Time;

namespace LumaGateway.Access;

/// <summary>
/// One log event for each purge, create and delete, and for each request that is refused, up to <see cref="MostRefusalsPerSecond"/> a second for strangers and as
/// many for clients; a line says how many more there were, and metrics count all. Names clients and their addresses (see <c>ForwardedHeaders</c>), never
/// their credentials; gives routes and paths as they were sent, percent-encoded. Thread-safe.
/// </summary>
internal sealed partial class Audit : IDisposable
{
    /// <summary>Whoever sends wrong keys decides how many refusals there are; the log must not be theirs to fill.</summary>
    public const int MostRefusalsPerSecond = 20;

    private readonly AccessMetrics _metrics;
    private readonly ILogger<Audit> _logger;
    private readonly Share _strangers;
    private readonly Share _clients;

    public Audit(AccessMetrics metrics, TimeProvider clock, ILogger<Audit> logger)
    {
        (_metrics, _logger) = (metrics, logger);
        _strangers = new Share(clock, count => Log.LeftOut(logger, count, "callers without a valid credential"));
        _clients = new Share(clock, count => Log.LeftOut(logger, count, "clients"));
    }

    public void Refused(HttpContext context, string client, RefusalReason reason)
    {
        _metrics.Refused(client, reason);
        if ((client is Client.UnknownName or Client.AnonymousName ? _strangers : _clients).TryTake())
        {
            Log.Refused(_logger, client, context.Connection.RemoteIpAddress, context.Request.Method, RouteOf(context), reason, context.TraceIdentifier);
        }
    }

    public void Did(HttpContext context, string client, Rights what, string outcome) =>
        Log.Did(
            _logger, client, context.Connection.RemoteIpAddress, what, context.Request.Method, RouteOf(context), context.Request.Path.ToUriComponent(), outcome,
            context.TraceIdentifier);

    public void Dispose()
    {
        _strangers.Dispose();
        _clients.Dispose();
    }

    private static string RouteOf(HttpContext context) => (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "";

    /// <summary>A bounded number of lines a second; a second after the first that was left out it tells how many were.</summary>
    private sealed class Share(TimeProvider clock, Action<int> tell) : IDisposable
    {
        private readonly TokenBucket _lines = new(clock);
        private readonly Lock _gate = new();
        private ITimer? _telling;
        private int _leftOut;

        public bool TryTake()
        {
            if (_lines.TryTake(MostRefusalsPerSecond, MostRefusalsPerSecond, out _))
            {
                return true;
            }

            lock (_gate)
            {
                _leftOut++;
                _telling ??= clock.CreateTimer(static share => ((Share)share!).Tell(), this, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
            }

            return false;
        }

        public void Dispose() => Tell();

        private void Tell()
        {
            int count;
            lock (_gate)
            {
                count = _leftOut;
                _leftOut = 0;
                _telling?.Dispose();
                _telling = null;
            }

            if (count > 0)
            {
                tell(count);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1011, LogLevel.Information, "Refused {Client} at {Address} {Method} {Route}: {Reason} (request {RequestId}).")]
        public static partial void Refused(ILogger logger, string client, IPAddress? address, string method, string route, RefusalReason reason, string requestId);

        [LoggerMessage(1013, LogLevel.Warning, "Refused {Count} more requests of {Callers} in the last second without an event for each; luma_gateway.access.refused counts them all.")]
        public static partial void LeftOut(ILogger logger, int count, string callers);

        [LoggerMessage(1012, LogLevel.Information, "{Client} at {Address} used its right {Right}: {Method} {Route} on {Path} gave {Outcome} (request {RequestId}).")]
        public static partial void Did(
            ILogger logger, string client, IPAddress? address, Rights right, string method, string route, string path, string outcome, string requestId);
    }
}
