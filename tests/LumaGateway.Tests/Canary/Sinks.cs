using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Testing;

namespace LumaGateway.Tests.Canary;

/// <summary>
/// Records the output of a gateway: spans of all sources, measurements of this gateway and of instruments without an owner in this process, and
/// the logs and responses of the test. It ignores the gateways of other tests: a listener runs on the measuring thread and would slow it down.
/// </summary>
internal sealed class Sinks : IDisposable
{
    private readonly ConcurrentQueue<(string Sink, string Text)> _texts = new();
    private readonly ActivityListener _spans;
    private readonly MeterListener _measurements = new();

    /// <param name="meters">The meter factory of the gateway.</param>
    public Sinks(IMeterFactory meters)
    {
        _spans = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = Record,
        };
        ActivitySource.AddActivityListener(_spans);
        _measurements.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope is null || ReferenceEquals(instrument.Meter.Scope, meters))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _measurements.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Record(instrument, tags));
        _measurements.SetMeasurementEventCallback<int>((instrument, _, tags, _) => Record(instrument, tags));
        _measurements.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Record(instrument, tags));
        _measurements.Start();
    }

    public int CountOf(string sink) => _texts.Count(text => text.Sink == sink);

    public void Record(string sink, string text) => _texts.Enqueue((sink, text));

    public async Task RecordAsync(string sink, HttpResponseMessage response)
    {
        Record(sink, response.ToString());
        Record(sink, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    public void Record(IEnumerable<FakeLogRecord> records)
    {
        foreach (var record in records)
        {
            Record("logs", $"{record.Category} {record.Message} {record.Exception}");
            Record("logs", Format(record.StructuredState ?? []));
            Record("logs", string.Join(' ', record.Scopes.Select(scope => scope is IEnumerable<KeyValuePair<string, object?>> pairs ? Format(pairs) : scope?.ToString())));
        }
    }

    /// <summary>Returns each recorded text that contains a secret, in any case or in base64.</summary>
    public IReadOnlyList<string> Find(IEnumerable<string> secrets)
    {
        _measurements.RecordObservableInstruments();
        var forms = SearchValues.Create(
            [.. secrets.SelectMany(secret => new[] { secret, Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)).TrimEnd('=')[..^1] })],
            StringComparison.OrdinalIgnoreCase);
        return [.. _texts.Where(text => text.Text.AsSpan().ContainsAny(forms)).Select(text => $"{text.Sink}: {text.Text}")];
    }

    public void Dispose()
    {
        _spans.Dispose();
        _measurements.Dispose();
    }

    private static string Format<T>(IEnumerable<KeyValuePair<string, T>> pairs) =>
        string.Join(' ', pairs.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key}={pair.Value}")));

    private void Record(Activity span)
    {
        Record("spans", $"{span.DisplayName} {span.StatusDescription} {span.TraceStateString} {Format(span.TagObjects)} {Format(span.Baggage)}");
        foreach (var spanEvent in span.Events)
        {
            Record("spans", $"{spanEvent.Name} {Format(spanEvent.Tags)}");
        }
    }

    private void Record(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags) => Record("metrics", $"{instrument.Name} {Format(tags.ToArray())}");
}
