using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace LumaGateway.Telemetry;

/// <summary>
/// The console formatter <c>json</c>: one flat JSON object a line. The formatter of .NET with this name nests the parameters of a message in <c>State</c>, which
/// repeats the message, and the scopes in an array. Thread-safe.
/// </summary>
internal sealed class JsonLogFormatter(TimeProvider clock) : ConsoleFormatter(ConsoleFormatterNames.Json)
{
    private const string Timestamp = "yyyy-MM-ddTHH:mm:ss.fffZ";

    /// <summary>Escapes control characters and quotes, but not the characters that only HTML needs escaped.</summary>
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            var line = new Line(json);
            json.WriteStartObject();
            line.Add("timestamp", clock.GetUtcNow().ToString(Timestamp, CultureInfo.InvariantCulture));
            line.Add("level", logEntry.LogLevel.ToString());
            line.Add("event_id", logEntry.EventId.Id);
            line.Add("category", logEntry.Category);
            line.Add("message", logEntry.Formatter(logEntry.State, logEntry.Exception));
            line.Add("exception", logEntry.Exception?.ToString());
            line.Add("trace_id", Activity.Current?.TraceId.ToHexString());
            line.Add("span_id", Activity.Current?.SpanId.ToHexString());
            scopeProvider?.ForEachScope(static (scope, line) => AddRequest(line, scope), line);
            AddParameters(line, logEntry.State);
            json.WriteEndObject();
        }

        textWriter.WriteLine(System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    /// <summary>Adds the members of <see cref="RequestLogScope"/>. Scopes of other libraries can contain paths, and paths can contain secrets.</summary>
    private static void AddRequest(Line line, object? scope)
    {
        if (scope is RequestLogScope request)
        {
            line.Add("request_id", request.RequestId);
            line.Add("client", request.Client);
        }
    }

    private static void AddParameters<TState>(Line line, TState state)
    {
        if (state is not IReadOnlyList<KeyValuePair<string, object?>> parameters)
        {
            return;
        }

        for (var i = 0; i < parameters.Count; i++)
        {
            if (parameters[i] is { Key: not "{OriginalFormat}" } parameter)
            {
                line.Add(JsonNamingPolicy.SnakeCaseLower.ConvertName(parameter.Key), parameter.Value);
            }
        }
    }

    /// <summary>One object. A name is written once, and a null is left out.</summary>
    private readonly record struct Line(Utf8JsonWriter Json)
    {
        private readonly HashSet<string> _names = new(StringComparer.Ordinal);

        public void Add(string name, object? value)
        {
            if (value is null || !_names.Add(name))
            {
                return;
            }

            switch (value)
            {
                case int number:
                    Json.WriteNumber(name, number);
                    break;

                case long number:
                    Json.WriteNumber(name, number);
                    break;

                case double number when double.IsFinite(number):
                    Json.WriteNumber(name, number);
                    break;

                case bool flag:
                    Json.WriteBoolean(name, flag);
                    break;

                default:
                    Json.WriteString(name, Convert.ToString(value, CultureInfo.InvariantCulture));
                    break;
            }
        }
    }
}
