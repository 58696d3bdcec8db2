namespace LumaGateway.Tests.Shared.Load;

/// <summary>
/// So many requests a second, whether or not those before were answered: a slow answer does not slow the callers down. Begun by
/// <see cref="Begin"/>, ended by <see cref="EndAsync"/>; figures may be taken in between.
/// </summary>
internal sealed class SteadyLoad
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    private readonly Func<int, Task<HttpResponseMessage>> _ask;
    private readonly CancellationTokenSource _end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly List<Task> _underWay = [];
    private readonly Task _sending;
    private Figures _figures = new();

    private SteadyLoad(int perSecond, Func<int, Task<HttpResponseMessage>> ask)
    {
        _ask = ask;
        _sending = SendAsync(perSecond);
    }

    /// <param name="perSecond">The rate.</param>
    /// <param name="ask">Sends the nth request.</param>
    public static SteadyLoad Begin(int perSecond, Func<int, Task<HttpResponseMessage>> ask) => new(perSecond, ask);

    /// <summary>What was answered to the requests begun since the last call.</summary>
    public Figures Take() => Interlocked.Exchange(ref _figures, new Figures());

    /// <summary>Sends no more, and waits for what is under way.</summary>
    public async Task<Figures> EndAsync()
    {
        await _end.CancelAsync();
        await _sending;
        await Task.WhenAll(_underWay);
        _end.Dispose();
        return _figures;
    }

    private async Task SendAsync(int perSecond)
    {
        var clock = TimeProvider.System;
        var begun = clock.GetTimestamp();
        using var timer = new PeriodicTimer(Tick, clock);
        var sent = 0;
        try
        {
            while (await timer.WaitForNextTickAsync(_end.Token))
            {
                for (var due = (int)(clock.GetElapsedTime(begun).TotalSeconds * perSecond); sent < due; sent++)
                {
                    _underWay.Add(AskAsync(sent, Volatile.Read(ref _figures)));
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Enough.
        }
    }

    private async Task AskAsync(int number, Figures figures)
    {
        var clock = TimeProvider.System;
        var begun = clock.GetTimestamp();
        try
        {
            using var response = await _ask(number);
            figures.Add((int)response.StatusCode, clock.GetElapsedTime(begun));
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            figures.Add(0, clock.GetElapsedTime(begun));
        }
    }
}
