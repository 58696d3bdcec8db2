using LumaGateway.Redis;
using LumaGateway.Tests.Caching;

namespace LumaGateway.Tests.Redis;

/// <summary>The repetition of writes that Redis did not confirm. Needs nothing.</summary>
public sealed class UnconfirmedWritesTests : IDisposable
{
    private static readonly TimeSpan RepeatInterval = TimeSpan.FromSeconds(1);

    private readonly WaitingClock _clock = new();
    private readonly UnconfirmedWrites<int> _writes;
    private int _first;
    private int _last;
    private int _attempts;
    private bool _isConfirming;

    public UnconfirmedWritesTests() => _writes = new UnconfirmedWrites<int>(_clock, () => _first++, () => Interlocked.Increment(ref _last));

    public void Dispose() => _writes.Dispose();

    [Fact]
    public async Task Writes_are_repeated_until_all_are_confirmed()
    {
        Enumerable.Range(1, 3).ToList().ForEach(write => _writes.Add(write, RepeatAsync));
        await _clock.PassAsync(RepeatInterval);
        await _clock.WaitedForAsync(RepeatInterval);
        Assert.Equal((1, 0, 1), (_first, _last, _attempts)); // the first failure ends the round

        _isConfirming = true;
        _clock.Advance(RepeatInterval);

        await Eventually.TrueAsync(() => Volatile.Read(ref _last) == 1);
        Assert.False(_writes.Contains(1) || _writes.Contains(2) || _writes.Contains(3));
        Assert.False(_clock.HasWait(RepeatInterval));
    }

    [Fact]
    public void Writes_beyond_the_limit_are_not_repeated()
    {
        for (var write = 0; write <= UnconfirmedWrites<int>.MaxCount; write++)
        {
            _writes.Add(write, RepeatAsync);
        }

        Assert.True(_writes.Contains(UnconfirmedWrites<int>.MaxCount - 1));
        Assert.False(_writes.Contains(UnconfirmedWrites<int>.MaxCount));
    }

    [Fact]
    public async Task After_the_disposal_no_write_is_repeated()
    {
        _writes.Add(1, RepeatAsync);
        await _clock.PassAsync(RepeatInterval);
        await _clock.WaitedForAsync(RepeatInterval);

        _writes.Dispose();
        _clock.Advance(RepeatInterval);

        Assert.Equal(1, _attempts);
        Assert.False(_clock.HasWait(RepeatInterval));
    }

    private Task<bool> RepeatAsync(int write)
    {
        _attempts++;
        return Task.FromResult(_isConfirming);
    }
}
