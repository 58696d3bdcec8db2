using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Testing;

namespace LumaGateway.Tests.Canary;

/// <summary>
/// Everything that leaves a gateway while it listens: spans of all sources, measurements of this gateway and of what the whole process shares, and
/// what it is given. Other tests' gateways are not listened to: a listener works on the thread that measures, and would slow it down.
/// </summary>
internal sealed class Sinks : IDisposable
{
    private readonly ConcurrentQueue<(string Sink, string Text)> _texts = new();
    private readonly ActivityListener _spans;
    private readonly MeterListener _measurements = new();

    /// <param name="meters">The gateway's own.</param>
    public Sinks(IMeterFactory meters)
    {
        _spans = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = Keep,
        };
        ActivitySource.AddActivityListener(_spans);
        _measurements.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope is null || ReferenceEquals(instrument.Meter.Scope, meters))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _measurements.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Keep(instrument, tags));
        _measurements.SetMeasurementEventCallback<int>((instrument, _, tags, _) => Keep(instrument, tags));
        _measurements.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Keep(instrument, tags));
        _measurements.Start();
    }

    public int CountOf(string sink) => _texts.Count(text => text.Sink == sink);

    public void Keep(string sink, string text) => _texts.Enqueue((sink, text));

    public async Task KeepAsync(string sink, HttpResponseMessage response)
    {
        Keep(sink, response.ToString());
        Keep(sink, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    public void Keep(IEnumerable<FakeLogRecord> records)
    {
        foreach (var record in records)
        {
            Keep("logs", $"{record.Category} {record.Message} {record.Exception}");
            Keep("logs", Written(record.StructuredState ?? []));
            Keep("logs", string.Join(' ', record.Scopes.Select(scope => scope is IEnumerable<KeyValuePair<string, object?>> pairs ? Written(pairs) : scope?.ToString())));
        }
    }

    /// <summary>Each place where a secret stands, plainly, in another case, or in base64.</summary>
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

    private static string Written<T>(IEnumerable<KeyValuePair<string, T>> pairs) =>
        string.Join(' ', pairs.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key}={pair.Value}")));

    private void Keep(Activity span)
    {
        Keep("spans", $"{span.DisplayName} {span.StatusDescription} {span.TraceStateString} {Written(span.TagObjects)} {Written(span.Baggage)}");
        foreach (var happened in span.Events)
        {
            Keep("spans", $"{happened.Name} {Written(happened.Tags)}");
        }
    }

    private void Keep(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags) => Keep("metrics", $"{instrument.Name} {Written(tags.ToArray())}");
}
