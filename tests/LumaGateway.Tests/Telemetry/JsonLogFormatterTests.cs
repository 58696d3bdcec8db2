using System.Diagnostics;
using System.Text.Json;
using LumaGateway.Telemetry;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace LumaGateway.Tests.Telemetry;

/// <summary>The lines of the format <c>json</c>, written by the formatter alone.</summary>
public sealed class JsonLogFormatterTests
{
    private readonly TestClock _clock = new(new DateTimeOffset(2026, 4, 8, 12, 10, 0, TimeSpan.Zero));
    private readonly LoggerExternalScopeProvider _scopes = new();

    [Fact]
    public void A_line_is_one_flat_object()
    {
        using var activity = new Activity("request").SetParentId(ActivityTraceId.CreateFromString("0af7651916cd43dd8448eb211c80319c"), default).Start();
        using var scope = _scopes.Push(new RequestLogScope("request-1", "tests"));

        var line = Write(LogLevel.Warning, 1011, [new("Reason", "RateLimit"), new("RequestId", "request-of-the-message"), new("DurationMs", 1.5), new("Count", 3)]);

        Assert.EndsWith("}" + Environment.NewLine, line, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(line);
        Assert.Equal(
            [
                ("timestamp", "2026-04-08T12:10:00.000Z"), ("level", "Warning"), ("event_id", "1011"), ("category", "LumaGateway.Access.Audit"), ("message", "The message's \"text\"."),
                ("trace_id", "0af7651916cd43dd8448eb211c80319c"), ("span_id", activity.SpanId.ToHexString()), ("request_id", "request-1"), ("client", "tests"),
                ("reason", "RateLimit"), ("duration_ms", "1.5"), ("count", "3"),
            ],
            json.RootElement.EnumerateObject().Select(member => (member.Name, member.Value.ToString())));
        Assert.Equal((JsonValueKind.Number, JsonValueKind.Number), (json.RootElement.GetProperty("event_id").ValueKind, json.RootElement.GetProperty("duration_ms").ValueKind));
    }

    [Fact]
    public void An_exception_and_line_ends_in_a_value_stay_in_one_line()
    {
        var line = Write(LogLevel.Error, 0, [new("Value", "one\r\ntwo\u0085three\u2028four")], new InvalidOperationException("first\nsecond"));

        Assert.Single(line.TrimEnd().Split('\n', '\r', '\u0085', '\u2028'));
        Assert.Contains("first\\nsecond", line, StringComparison.Ordinal);
    }

    [Fact]
    public void The_scope_of_a_library_is_left_out()
    {
        using var scope = _scopes.Push(new List<KeyValuePair<string, object?>> { new("RequestPath", "/callbacks/luma/secret") });

        Assert.DoesNotContain("secret", Write(LogLevel.Information, 0, []), StringComparison.Ordinal);
    }

    [Fact]
    public void The_console_uses_this_formatter_for_json()
    {
        using var gateway = new Gateway();

        var first = gateway.Services.GetServices<ConsoleFormatter>().First(formatter => formatter.Name == ConsoleFormatterNames.Json);

        Assert.IsType<JsonLogFormatter>(first);
    }

    private string Write(LogLevel level, int id, List<KeyValuePair<string, object?>> state, Exception? exception = null)
    {
        using var writer = new StringWriter();
        state.Add(new("{OriginalFormat}", "template"));
        new JsonLogFormatter(_clock).Write(
            new LogEntry<IReadOnlyList<KeyValuePair<string, object?>>>(level, "LumaGateway.Access.Audit", new EventId(id, "Name"), state, exception, (_, _) => "The message's \"text\"."),
            _scopes,
            writer);
        return writer.ToString();
    }
}
