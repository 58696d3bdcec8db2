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

        var table = new StringBuilder("| metric | kind | unit | what it says |\n|---|---|---|---|\n");
        foreach (var one in instruments.OrderBy(one => one.Name, StringComparer.Ordinal))
        {
            table.Append(System.Globalization.CultureInfo.InvariantCulture, $"| `{one.Name}` | {KindOf(one)} | `{one.Unit}` | {one.Description} |\n");
        }

        return table.ToString();
    }

    public static string Logs()
    {
        var table = new StringBuilder("| id | level | message |\n|---|---|---|\n");
        var events = typeof(Generation).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public))
            .Select(method => method.GetCustomAttribute<LoggerMessageAttribute>())
            .OfType<LoggerMessageAttribute>()
            .OrderBy(log => log.EventId);
        foreach (var log in events)
        {
            var level = log.Level is LogLevel.None ? "Warning or Information" : log.Level.ToString();
            table.Append(System.Globalization.CultureInfo.InvariantCulture, $"| {log.EventId} | {level} | {log.Message} |\n");
        }

        return table.ToString();
    }

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
