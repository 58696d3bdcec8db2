namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// Callers that send requests one after the other, with a short pause, until <see cref="StopAsync"/>. Tests check the responses and not the time, so that a busy
/// machine does not fail them.
/// </summary>
internal sealed class Callers
{
    /// <summary>Leaves CPU time to the gateways.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly Func<int, Task<HttpResponseMessage>> _send;
    private readonly Figures _figures = new();
    private readonly Task _sending;
    private volatile bool _isStopped;
    private int _sent;

    private Callers(int count, Func<int, Task<HttpResponseMessage>> send)
    {
        _send = send;
        _sending = Task.WhenAll(Enumerable.Range(0, count).Select(_ => SendAsync()));
    }

    /// <param name="count">The number of callers.</param>
    /// <param name="send">Sends the request with this number.</param>
    public static Callers Start(int count, Func<int, Task<HttpResponseMessage>> send) => new(count, send);

    /// <summary>Waits for more responses, with any status.</summary>
    public Task WaitForResponsesAsync(int more)
    {
        var expected = _figures.Count + more;
        return Wait.UntilAsync(() => _figures.Count >= expected, () => $"There are no more responses: {_figures}.");
    }

    /// <summary>Waits for pending requests. Fails if there was no response at all.</summary>
    public async Task<Figures> StopAsync()
    {
        _isStopped = true;
        await _sending;
        Assert.NotEqual(0, _figures.Count);
        return _figures;
    }

    private async Task SendAsync()
    {
        while (!_isStopped)
        {
            var start = TimeProvider.System.GetTimestamp();
            var status = 0;
            try
            {
                using var response = await _send(Interlocked.Increment(ref _sent));
                status = (int)response.StatusCode;
            }
            catch (HttpRequestException)
            {
                // Counted as status 0.
            }

            _figures.Add(status, TimeProvider.System.GetElapsedTime(start));
            await Wait.ForAsync(Pause);
        }
    }
}
