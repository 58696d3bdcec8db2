using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;

namespace LumaGateway.Polling;

/// <summary>
/// Keeps to <c>Luma:MaxPollsPerSecond</c>. One replica watches for the whole fleet, so its own count is the fleet's. What is not used is saved
/// for a quarter of a second only, so that nothing comes in bursts. Thread-safe.
/// </summary>
internal sealed class PollRateLimiter(IOptions<LumaOptions> options, TimeProvider clock)
{
    private readonly double _rate = options.Value.MaxPollsPerSecond;
    private readonly Lock _gate = new();
    private double _saved = 1;
    private long _countedAt = clock.GetTimestamp();

    /// <summary>Takes one poll, or says that it must wait.</summary>
    public bool TrySpend()
    {
        lock (_gate)
        {
            var now = clock.GetTimestamp();
            _saved = Math.Min(_saved + (clock.GetElapsedTime(_countedAt, now).TotalSeconds * _rate), Math.Max(1, _rate / 4));
            _countedAt = now;
            if (_saved < 1)
            {
                return false;
            }

            _saved--;
            return true;
        }
    }
}
