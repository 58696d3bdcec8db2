using System.Diagnostics;
using LumaGateway.Telemetry;

namespace LumaGateway.Redis;

/// <summary>
/// One step of Redis as a span, by the conventions for database clients; StackExchange.Redis makes none itself. A step may be several commands sent
/// together. Costs nothing where nobody listens.
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

    /// <summary>Names the kind of failure only: messages hold endpoints and keys.</summary>
    public static void Fail(this Activity? span, Exception exception) =>
        span?.SetTag("error.type", exception.GetType().FullName).SetStatus(ActivityStatusCode.Error);
}
