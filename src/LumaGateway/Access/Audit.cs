using System.Net;
using LumaGateway.Jobs;
using LumaGateway.Problems;
using LumaGateway.Telemetry;
using LumaGateway.Time;

namespace LumaGateway.Access;

/// <summary>
/// Logs one event for each purge, create and delete, and for each refused request. Refusals are limited to <see cref="MaxRefusalsPerSecond"/> events a second
/// for unauthenticated requests, and the same for clients; one event reports the number of the others. An event contains the client's name and address (see
/// <c>ForwardedHeaders</c>), never a credential. Paths are percent-encoded, as they were sent. Thread-safe.
/// </summary>
internal sealed partial class Audit : IDisposable
{
    /// <summary>Limits what a client with a wrong key can write to the log.</summary>
    public const int MaxRefusalsPerSecond = 20;

    private readonly AccessMetrics _metrics;
    private readonly ILogger<Audit> _logger;
    private readonly LogBudget _unauthenticatedBudget;
    private readonly LogBudget _clientBudget;

    public Audit(AccessMetrics metrics, TimeProvider clock, ILogger<Audit> logger)
    {
        (_metrics, _logger) = (metrics, logger);
        _unauthenticatedBudget = new LogBudget(clock, count => Log.NotLogged(logger, count, "callers without a valid credential"));
        _clientBudget = new LogBudget(clock, count => Log.NotLogged(logger, count, "clients"));
    }

    public void Refused(HttpContext context, string client, RefusalReason reason)
    {
        _metrics.Refused(client, reason);
        if ((client is Client.UnknownName or Client.AnonymousName ? _unauthenticatedBudget : _clientBudget).TryTake())
        {
            Log.Refused(_logger, client, context.Connection.RemoteIpAddress, context.Request.Method, RouteOf(context), reason, context.TraceIdentifier);
        }
    }

    public void PermissionUsed(HttpContext context, string client, Permissions used, string outcome) =>
        Log.PermissionUsed(
            _logger, client, context.Connection.RemoteIpAddress, used, context.Request.Method, RouteOf(context), context.Request.Path.ToUriComponent(), outcome,
            context.Features.Get<IRequestAccount>()?.AccountName, context.Features.Get<RecordedJob>()?.Id, context.TraceIdentifier);

    public void Dispose()
    {
        _unauthenticatedBudget.Dispose();
        _clientBudget.Dispose();
    }

    private static string RouteOf(HttpContext context) => (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "";

    /// <summary>A number of log events a second. It reports the number of events over the budget one second after the first of them.</summary>
    private sealed class LogBudget(TimeProvider clock, Action<int> report) : IDisposable
    {
        private readonly TokenBucket _bucket = new(clock);
        private readonly Lock _lock = new();
        private ITimer? _timer;
        private int _notLogged;

        public bool TryTake()
        {
            if (_bucket.TryTake(MaxRefusalsPerSecond, MaxRefusalsPerSecond, out _))
            {
                return true;
            }

            lock (_lock)
            {
                _notLogged++;
                _timer ??= clock.CreateTimer(static budget => ((LogBudget)budget!).Report(), this, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
            }

            return false;
        }

        public void Dispose() => Report();

        private void Report()
        {
            int count;
            lock (_lock)
            {
                count = _notLogged;
                _notLogged = 0;
                _timer?.Dispose();
                _timer = null;
            }

            if (count > 0)
            {
                report(count);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1011, LogLevel.Information, "Refused client {Client} at {Address}: {Reason}, for {Method} {Route} (request {RequestId}).")]
        public static partial void Refused(ILogger logger, string client, IPAddress? address, string method, string route, RefusalReason reason, string requestId);

        [LoggerMessage(1013, LogLevel.Warning, "Refused {Count} more requests of {Callers} in the last second, which are not logged one by one. luma_gateway.access.refused counts all.")]
        public static partial void NotLogged(ILogger logger, int count, string callers);

        [LoggerMessage(1012, LogLevel.Information, "Client {Client} at {Address} used permission {Permission}: {Method} {Route}, path {Path}, outcome {Outcome}, account {Account}, job {Job} (request {RequestId}).")]
        public static partial void PermissionUsed(
            ILogger logger, string client, IPAddress? address, Permissions permission, string method, string route, string path, string outcome, string? account, string? job, string requestId);
    }
}
