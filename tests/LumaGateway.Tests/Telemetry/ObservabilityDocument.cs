using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text;
using LumaGateway.Contracts;
using Microsoft.Extensions.Logging;

namespace LumaGateway.Tests.Telemetry;

/// <summary>Generates the tables of <c>docs/observability.md</c> from the code.</summary>
internal static class ObservabilityDocument
{
    public static string MetricsOf(IMeterFactory factory)
    {
        var instruments = new List<Instrument>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (ReferenceEquals(instrument.Meter.Scope, factory) && instrument.Meter.Name == "LumaGateway")
                {
                    instruments.Add(instrument);
                }
            },
        };
        listener.Start();

        var table = new StringBuilder("| metric | kind | unit | meaning |\n|---|---|---|---|\n");
        foreach (var one in instruments.OrderBy(one => one.Name, StringComparer.Ordinal))
        {
            table.Append(System.Globalization.CultureInfo.InvariantCulture, $"| `{one.Name}` | {KindOf(one)} | `{one.Unit}` | {one.Description} |\n");
        }

        return table.ToString();
    }

    /// <summary>Returns the first three columns of each row. The fourth, what to do, is written by hand.</summary>
    public static IEnumerable<string> Logs() => typeof(Generation).Assembly.GetTypes()
        .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public))
        .Select(method => method.GetCustomAttribute<LoggerMessageAttribute>())
        .OfType<LoggerMessageAttribute>()
        .OrderBy(log => log.EventId)
        .Select(log => $"| {log.EventId} | {(log.Level is LogLevel.None ? "Warning or Information" : log.Level)} | {log.Message} |");

    private static string KindOf(Instrument instrument)
    {
        var name = instrument.GetType().Name.Split('`')[0];
        return name.Replace("Observable", "", StringComparison.Ordinal).ToLowerInvariant() switch
        {
            "updowncounter" => "up-down counter",
            var other => other,
        };
    }
}
