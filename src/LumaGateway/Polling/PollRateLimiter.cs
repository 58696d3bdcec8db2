using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;

namespace LumaGateway.Polling;

/// <summary>
/// A token bucket that enforces <c>Luma:MaxPollsPerSecond</c> on this replica. It holds tokens for a quarter of a second at most, which bounds
/// bursts. Thread-safe.
/// </summary>
internal sealed class PollRateLimiter(IOptions<LumaOptions> options, TimeProvider clock)
{
    private readonly double _rate = options.Value.MaxPollsPerSecond;
    private readonly Lock _gate = new();
    private double _tokens = 1;
    private long _refilledAt = clock.GetTimestamp();

    /// <summary>Gives back the token of a poll that sent no request.</summary>
    public void Return()
    {
        lock (_gate)
        {
            _tokens = Math.Min(_tokens + 1, Math.Max(1, _rate / 4));
        }
    }

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
