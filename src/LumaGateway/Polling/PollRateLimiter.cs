using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;

namespace LumaGateway.Polling;

/// <summary>
/// A token bucket that enforces <c>Luma:MaxPollsPerSecond</c>. It holds tokens for a quarter of a second at most, which bounds bursts. One
/// replica polls for all replicas, so the limit needs no shared state. Thread-safe.
/// </summary>
internal sealed class PollRateLimiter(IOptions<LumaOptions> options, TimeProvider clock)
{
    private readonly double _rate = options.Value.MaxPollsPerSecond;
    private readonly Lock _gate = new();
    private double _tokens = 1;
    private long _refilledAt = clock.GetTimestamp();

    /// <summary>Takes one token. False if there is none.</summary>
    public bool TryAcquire()
    {
        lock (_gate)
        {
            var now = clock.GetTimestamp();
            _tokens = Math.Min(_tokens + (clock.GetElapsedTime(_refilledAt, now).TotalSeconds * _rate), Math.Max(1, _rate / 4));
            _refilledAt = now;
            if (_tokens < 1)
            {
                return false;
            }

            _tokens--;
            return true;
        }
    }
}
