using LumaGateway.Time;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;

namespace LumaGateway.Polling;

/// <summary>
/// Enforces <c>Luma:MaxPollsPerSecond</c> on this replica with a token bucket. It holds tokens for a quarter of a second at most, which bounds bursts, and
/// starts with one token. Thread-safe.
/// </summary>
internal sealed class PollRateLimiter
{
    private readonly double _rate;
    private readonly int _size;
    private readonly TokenBucket _bucket;

    public PollRateLimiter(IOptions<LumaOptions> options, TimeProvider clock)
    {
        _rate = options.Value.MaxPollsPerSecond;
        _size = Math.Max(1, (int)(_rate / 4));
        _bucket = new TokenBucket(clock);
        _bucket.Charge(_size - 1, _rate);
    }

    /// <summary>Gives back the token of a poll that sent no request.</summary>
    public void Return() => _bucket.Charge(-1, _rate);

    /// <summary>Takes one token. False if there is none.</summary>
    public bool TryAcquire() => _bucket.TryTake(_rate, _size, out _);
}
