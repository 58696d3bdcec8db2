using LumaGateway.Caching;
using LumaGateway.Polling;

namespace LumaGateway.Tests.Polling;

/// <summary>What the poller keeps of one generation. Needs nothing.</summary>
public sealed class PollTargetTests
{
    private static readonly TimeSpan Floor = TimeSpan.FromSeconds(1);

    [Fact]
    public void A_hint_is_taken_once_within_the_floor()
    {
        var target = new PollTarget(new CacheKey("g1"));
        var now = TimeSpan.FromHours(1);

        Assert.True(target.TryTakeHint(now, Floor));
        Assert.False(target.TryTakeHint(now + Floor - TimeSpan.FromTicks(1), Floor));
        Assert.True(target.TryTakeHint(now + Floor, Floor));
    }

    [Fact]
    public void Of_concurrent_hints_one_is_taken()
    {
        const int Callers = 4;
        const int Rounds = 500;
        var target = new PollTarget(new CacheKey("g1"));
        using var together = new Barrier(Callers);
        var taken = new int[Rounds];
        var callers = Enumerable.Range(0, Callers).Select(_ => new Thread(() =>
        {
            for (var round = 0; round < Rounds; round++)
            {
                together.SignalAndWait();
                if (target.TryTakeHint(Floor * round, Floor))
                {
                    Interlocked.Increment(ref taken[round]);
                }
            }
        })).ToList();

        callers.ForEach(caller => caller.Start());
        callers.ForEach(caller => caller.Join());

        Assert.All(taken, count => Assert.Equal(1, count));
    }
}
