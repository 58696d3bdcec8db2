using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Testing;

namespace LumaGateway.Tests.Canary;

/// <summary>Everything that leaves the process while it listens, in this process: spans and measurements of all sources, and what it is given.</summary>
internal sealed class Sinks : IDisposable
{
    private readonly ConcurrentQueue<(string Sink, string Text)> _texts = new();
    private readonly ActivityListener _spans;
    private readonly MeterListener _measurements = new();

    public Sinks()
    {
        _spans = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = Keep,
        };
        ActivitySource.AddActivityListener(_spans);
        _measurements.InstrumentPublished = (instrument, listener) => listener.EnableMeasurementEvents(instrument);
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
        var forms = secrets
            .SelectMany(secret => new[] { secret, Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)).TrimEnd('=')[..^1] })
            .ToArray();
        return [.. _texts
            .SelectMany(text => forms.Where(form => text.Text.Contains(form, StringComparison.OrdinalIgnoreCase)).Select(form => $"{text.Sink}: {form} in {text.Text}"))];
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
