using System.Diagnostics;
using LumaGateway.Telemetry;

namespace LumaGateway.Redis;

/// <summary>
/// A span for one step of Redis, by the OpenTelemetry conventions for database clients; StackExchange.Redis creates none. A step may be several pipelined
/// commands. Costs nothing without a listener.
/// </summary>
internal static class RedisSpan
{
    public static Activity? Start(string operation)
    {
        if (!Instrumentation.Activities.HasListeners())
        {
            return null;
        }

        var span = Instrumentation.Activities.StartActivity($"redis {operation}", ActivityKind.Client);
        span?.SetTag("db.system.name", "redis").SetTag("db.operation.name", operation);
        return span;
    }

    /// <summary>Records only the type of the failure: messages hold endpoints and keys.</summary>
    public static void Fail(this Activity? span, Exception exception) =>
        span?.SetTag("error.type", exception.GetType().FullName).SetStatus(ActivityStatusCode.Error);
}
