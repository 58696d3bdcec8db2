using CsCheck;
using LumaGateway.Access;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LumaGateway.Tests.Access;

public sealed class TokenBucketTests
{
    [Fact]
    public void Tokens_taken_never_exceed_the_size_plus_the_refill() =>
        Gen.Select(Gen.Int[1, 1000], Gen.Int[1, 50], Gen.Int[0, 2000].Array[1, 200]).Sample((perSecond, size, pauses) =>
        {
            var clock = new FakeTimeProvider();
            var bucket = new TokenBucket(clock);
            var taken = 0;
            var passed = TimeSpan.Zero;
            foreach (var pause in pauses)
            {
                clock.Advance(TimeSpan.FromMilliseconds(pause));
                passed += TimeSpan.FromMilliseconds(pause);
                if (bucket.TryTake(perSecond, size, out var wait))
                {
                    taken++;
                    Assert.True(taken <= size + (passed.TotalSeconds * perSecond * 1.001) + 1, $"{taken} taken after {passed}");
                }
                else
                {
                    // A retry after the wait succeeds, and a retry one tick earlier fails.
                    Assert.True(wait > TimeSpan.Zero);
                    clock.Advance(wait - TimeSpan.FromTicks(1));
                    Assert.False(bucket.TryTake(perSecond, size, out _));
                    clock.Advance(TimeSpan.FromTicks(1));
                    Assert.True(bucket.TryTake(perSecond, size, out _));
                    passed += wait;
                    taken++;
                }
            }
        }, iter: PropertyCases.Of(1000));

    [Fact]
    public void Concurrent_callers_take_no_more_than_the_size()
    {
        var bucket = new TokenBucket(new FakeTimeProvider());
        var taken = 0;

        Parallel.For(0, 10_000, _ =>
        {
            if (bucket.TryTake(1000, 100, out var _))
            {
                Interlocked.Increment(ref taken);
            }
        });

        Assert.Equal(100, taken);
    }
}
