using LumaGateway.Contracts;
using LumaGateway.Polling;

namespace LumaGateway.Tests.Polling;

public sealed class PollTargetTests
{
    private static readonly TimeSpan Floor = TimeSpan.FromSeconds(1);

    [Fact]
    public void Within_the_floor_one_hint_is_accepted()
    {
        var target = new PollTarget(GenerationId.Parse("g1", null));
        var now = TimeSpan.FromHours(1);

        Assert.True(target.TryAcceptHint(now, Floor));
        Assert.False(target.TryAcceptHint(now + Floor - TimeSpan.FromTicks(1), Floor));
        Assert.True(target.TryAcceptHint(now + Floor, Floor));
    }

    [Fact]
    public void Of_concurrent_hints_one_is_accepted()
    {
        const int Callers = 4;
        const int Rounds = 500;
        var target = new PollTarget(GenerationId.Parse("g1", null));
        using var barrier = new Barrier(Callers);
        var accepted = new int[Rounds];
        var callers = Enumerable.Range(0, Callers).Select(_ => new Thread(() =>
        {
            for (var round = 0; round < Rounds; round++)
            {
                barrier.SignalAndWait();
                if (target.TryAcceptHint(Floor * round, Floor))
                {
                    Interlocked.Increment(ref accepted[round]);
                }
            }
        })).ToList();

        callers.ForEach(caller => caller.Start());
        callers.ForEach(caller => caller.Join());

        Assert.All(accepted, count => Assert.Equal(1, count));
    }
}
