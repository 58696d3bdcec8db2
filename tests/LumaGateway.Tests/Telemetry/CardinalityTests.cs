using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Telemetry;

/// <summary>Requests cannot increase the number of series.</summary>
public sealed class CardinalityTests : IAsyncLifetime
{
    private const string Requests = "http.server.request.duration";

    private readonly Gateway _gateway = new();
    private readonly AwaitableCount _requests = new();
    private Issuer _issuer = null!;

    public async ValueTask InitializeAsync() => _issuer = await Issuer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task Many_ids_and_client_names_add_no_series()
    {
        _gateway
            .With("Access:Jwt:Authority", _issuer.Address).With("Access:Jwt:Audience", Issuer.Audience)
            .With("Access:Clients:0:Limits:RequestsPerSecond", "0").With("Access:Clients:0:Limits:Concurrency", "0");
        _gateway.Upstream.Always((request, _) => Task.FromResult(ScriptedUpstream.Json(Samples.Failed(request.RequestUri!.Segments[^1]))));
        using var client = _gateway.CreateCallerWithoutKey();
        var series = new ConcurrentDictionary<string, bool>();
        using var listener = Listen(series);

        var (ids, names) = (PropertyCases.Of(10_000), PropertyCases.Of(1_000));

        await SendOneOfEachKindAsync(client);
        await _requests.ReachAsync(4); // a request is measured after its response
        var before = series.Keys.ToHashSet();
        await Parallel.ForAsync(0, ids, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (number, _) =>
            await SendAsync(client, $"/generations/many-{number}", "X-Api-Key", Gateway.Key));
        await Parallel.ForAsync(0, names, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (number, _) =>
        {
            await SendAsync(client, "/generations/g1", "Authorization", Token($"hostile-{number}"));
            await SendAsync(client, "/generations/g1", "X-Api-Key", $"wrong-{number}");
            await SendAsync(client, $"/nowhere/{number}", "X-Request-Id", $"mine-{number}");
        });

        await _requests.ReachAsync(4 + ids + (3 * names));
        Assert.Equal(ids + 1, _gateway.Upstream.RequestCount);
        Assert.Contains(before, one => one.StartsWith(Requests, StringComparison.Ordinal));
        Assert.Contains(before, one => one.StartsWith("luma_gateway.access.admitted", StringComparison.Ordinal));
        Assert.True(before.SetEquals(series.Keys), string.Join('\n', series.Keys.Except(before)));
    }

    private async Task SendOneOfEachKindAsync(HttpClient client)
    {
        await SendAsync(client, "/generations/g1", "X-Api-Key", Gateway.Key);
        await SendAsync(client, "/generations/g1", "Authorization", Token("robot"));
        await SendAsync(client, "/generations/g1", "X-Api-Key", "wrong");
        await SendAsync(client, "/nowhere", "X-Request-Id", "mine");
    }

    private string Token(string name) => "Bearer " + _issuer.Sign(_gateway.Clock.GetUtcNow(), claims: [("client_id", name), ("scope", "read")]);

    private static async Task SendAsync(HttpClient client, string path, string header, string value)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation(header, value);
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>Records the names and attributes of all measurements of this gateway. Gateways of other tests run in the same process.</summary>
    private MeterListener Listen(ConcurrentDictionary<string, bool> series)
    {
        var meterFactory = _gateway.Services.GetRequiredService<IMeterFactory>();
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (ReferenceEquals(instrument.Meter.Scope, meterFactory) && !instrument.IsObservable)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<int>((instrument, _, tags, _) => series.TryAdd(SeriesOf(instrument, tags), true));
        listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) => series.TryAdd(SeriesOf(instrument, tags), true));
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) =>
        {
            series.TryAdd(SeriesOf(instrument, tags), true);
            if (instrument.Name is Requests)
            {
                _requests.Increment();
            }
        });
        listener.Start();
        return listener;
    }

    private static string SeriesOf(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        $"{instrument.Name} {string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}").Order(StringComparer.Ordinal))}";
}
