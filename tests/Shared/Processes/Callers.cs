namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// A few callers, each of which asks again a moment after it was answered, until <see cref="EndAsync"/>. A busy machine makes them slower, and nothing
/// else: what happens meanwhile is judged by their answers, not by the time.
/// </summary>
internal sealed class Callers
{
    /// <summary>Leaves the processor to those that are asked.</summary>
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(20);

    private readonly Func<int, Task<HttpResponseMessage>> _ask;
    private readonly Figures _figures = new();
    private readonly Task _asking;
    private volatile bool _isOver;
    private int _asked;

    private Callers(int count, Func<int, Task<HttpResponseMessage>> ask)
    {
        _ask = ask;
        _asking = Task.WhenAll(Enumerable.Range(0, count).Select(_ => AskAsync()));
    }

    /// <param name="count">How many callers.</param>
    /// <param name="ask">Sends the nth request of them all.</param>
    public static Callers Begin(int count, Func<int, Task<HttpResponseMessage>> ask) => new(count, ask);

    /// <summary>Waits until so many more requests were answered, with whatever status.</summary>
    public Task AnsweredAsync(int more)
    {
        var enough = _figures.Count + more;
        return Wait.UntilAsync(() => _figures.Count >= enough, () => $"Nothing is answered any more: {_figures}.");
    }

    /// <summary>Waits for what is under way. Fails if nothing was ever answered.</summary>
    public async Task<Figures> EndAsync()
    {
        _isOver = true;
        await _asking;
        Assert.NotEqual(0, _figures.Count);
        return _figures;
    }

    private async Task AskAsync()
    {
        while (!_isOver)
        {
            var begun = TimeProvider.System.GetTimestamp();
            var status = 0;
            try
            {
                using var response = await _ask(Interlocked.Increment(ref _asked));
                status = (int)response.StatusCode;
            }
            catch (HttpRequestException)
            {
                // Counted as 0: no answer.
            }

            _figures.Add(status, TimeProvider.System.GetElapsedTime(begun));
            await Wait.ForAsync(Between);
        }
    }
}
