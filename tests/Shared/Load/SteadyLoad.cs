namespace LumaGateway.Tests.Shared.Load;

/// <summary>
/// Sends requests at a fixed rate, independent of response times (an open loop). <see cref="Start"/> starts it, <see cref="StopAsync"/> stops it, and
/// <see cref="Take"/> returns figures meanwhile.
/// </summary>
internal sealed class SteadyLoad
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    private readonly Func<int, Task<HttpResponseMessage>> _send;
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly List<Task> _pending = [];
    private readonly Task _sending;
    private Figures _figures = new();

    private SteadyLoad(int perSecond, Func<int, Task<HttpResponseMessage>> send)
    {
        _send = send;
        _sending = SendAsync(perSecond);
    }

    /// <param name="perSecond">The requests per second.</param>
    /// <param name="send">Sends the request with this number.</param>
    public static SteadyLoad Start(int perSecond, Func<int, Task<HttpResponseMessage>> send) => new(perSecond, send);

    /// <summary>The figures of the requests that were started since the last call.</summary>
    public Figures Take() => Interlocked.Exchange(ref _figures, new Figures());

    /// <summary>Stops, and waits for pending requests.</summary>
    public async Task<Figures> StopAsync()
    {
        await _stop.CancelAsync();
        await _sending;
        await Task.WhenAll(_pending);
        _stop.Dispose();
        return _figures;
    }

    private async Task SendAsync(int perSecond)
    {
        var clock = TimeProvider.System;
        var start = clock.GetTimestamp();
        using var timer = new PeriodicTimer(Tick, clock);
        var sent = 0;
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                for (var due = (int)(clock.GetElapsedTime(start).TotalSeconds * perSecond); sent < due; sent++)
                {
                    _pending.Add(MeasureAsync(sent, Volatile.Read(ref _figures)));
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private async Task MeasureAsync(int number, Figures figures)
    {
        var clock = TimeProvider.System;
        var start = clock.GetTimestamp();
        try
        {
            using var response = await _send(number);
            figures.Add((int)response.StatusCode, clock.GetElapsedTime(start));
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            figures.Add(0, clock.GetElapsedTime(start));
        }
    }
}
