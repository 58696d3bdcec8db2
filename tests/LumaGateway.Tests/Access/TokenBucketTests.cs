using CsCheck;
using LumaGateway.Access;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LumaGateway.Tests.Access;

public sealed class TokenBucketTests
{
    [Fact]
    public void Never_gives_more_than_its_size_and_what_time_has_brought() =>
        Gen.Select(Gen.Int[1, 1000], Gen.Int[1, 50], Gen.Int[0, 2000].Array[1, 200]).Sample((perSecond, size, pauses) =>
        {
            var clock = new FakeTimeProvider();
            var bucket = new TokenBucket(clock);
            var given = 0;
            var passed = TimeSpan.Zero;
            foreach (var pause in pauses)
            {
                clock.Advance(TimeSpan.FromMilliseconds(pause));
                passed += TimeSpan.FromMilliseconds(pause);
                if (bucket.TryTake(perSecond, size, out var wait))
                {
                    given++;
                    Assert.True(given <= size + (passed.TotalSeconds * perSecond * 1.001) + 1, $"{given} given after {passed}");
                }
                else
                {
                    // To come back as told is always enough, and a moment earlier never.
                    Assert.True(wait > TimeSpan.Zero);
                    clock.Advance(wait - TimeSpan.FromTicks(1));
                    Assert.False(bucket.TryTake(perSecond, size, out _));
                    clock.Advance(TimeSpan.FromTicks(1));
                    Assert.True(bucket.TryTake(perSecond, size, out _));
                    passed += wait;
                    given++;
                }
            }
        }, iter: PropertyCases.Of(1000));

    [Fact]
    public void Many_who_take_at_once_get_no_more_than_there_is()
    {
        var bucket = new TokenBucket(new FakeTimeProvider());
        var given = 0;

        Parallel.For(0, 10_000, _ =>
        {
            if (bucket.TryTake(1000, 100, out var _))
            {
                Interlocked.Increment(ref given);
            }
        });

        Assert.Equal(100, given);
    }
}
