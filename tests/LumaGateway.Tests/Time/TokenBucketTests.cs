using CsCheck;
using LumaGateway.Tests.Support;
using LumaGateway.Time;
using Microsoft.Extensions.Time.Testing;

namespace LumaGateway.Tests.Time;

public sealed class TokenBucketTests
{
    [Fact]
    public void A_bucket_never_gives_more_tokens_than_its_size_and_the_refill() =>
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
                    Assert.True(taken <= size + (passed.TotalSeconds * perSecond * 1.001) + 1, $"{taken} tokens were taken after {passed}.");
                }
                else
                {
                    // There is a token after the returned wait, and not a tick earlier.
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
    public void Concurrent_callers_get_no_more_tokens_than_the_bucket_holds()
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

    [Theory]
    [InlineData(0.1, 10)]
    [InlineData(0.5, 2)]
    [InlineData(2.5, 0.4)]
    public void A_rate_can_be_a_fraction(double perSecond, double seconds)
    {
        var clock = new FakeTimeProvider();
        var bucket = new TokenBucket(clock);

        Assert.True(bucket.TryTake(perSecond, 1, out _));
        Assert.False(bucket.TryTake(perSecond, 1, out var wait));
        Assert.Equal(TimeSpan.FromSeconds(seconds), wait);
        clock.Advance(wait);
        Assert.True(bucket.TryTake(perSecond, 1, out _));
    }

    [Fact]
    public void Tokens_charged_over_the_size_delay_the_next_token_and_can_be_returned()
    {
        var bucket = new TokenBucket(new FakeTimeProvider());
        bucket.Charge(5, 1);

        Assert.False(bucket.TryTake(1, 3, out var wait));
        Assert.Equal(TimeSpan.FromSeconds(3), wait);
        bucket.Charge(-3, 1);
        Assert.True(bucket.TryTake(1, 3, out _));
    }
}
