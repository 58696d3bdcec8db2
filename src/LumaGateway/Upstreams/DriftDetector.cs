using System.Text.Json;

namespace LumaGateway.Upstreams;

/// <summary>
/// Reports responses of one account that contain what the dialect does not know: counts each, and logs the first of each kind in the life of the process. Thread-safe.
/// </summary>
internal sealed partial class DriftDetector(DriftMetrics metrics, string dialect, ILogger<DriftDetector> logger)
{
    private readonly DriftVocabulary _vocabulary = DriftVocabulary.Of(dialect);
    private int _loggedKinds;

    /// <summary>Inspects a response that the dialect could read. Does not throw.</summary>
    public void Inspect(JsonElement body, bool isStateKnown)
    {
        var (hasUnknownField, hasUnknownType) = _vocabulary.Inspect(body);
        Report(hasUnknownField, DriftKind.Field);
        Report(hasUnknownType, DriftKind.Type);
        Report(!isStateKnown, DriftKind.State);
    }

    private void Report(bool isFound, DriftKind kind)
    {
        if (!isFound)
        {
            return;
        }

        metrics.Record(kind);
        var flag = 1 << (int)kind;
        if ((Interlocked.Or(ref _loggedKinds, flag) & flag) == 0)
        {
            Log.Drifted(logger, DriftMetrics.NameOf(kind), dialect);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3031, LogLevel.Warning, "A response of the upstream has an unknown {Kind} for dialect {Dialect}; the gateway ignores it, and reads an unknown state as processing. It is logged once for each kind; luma_gateway.upstream.drift counts all (infra/RUNBOOK.md).")]
        public static partial void Drifted(ILogger logger, string kind, string dialect);
    }
}
