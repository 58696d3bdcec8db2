using LumaGateway.Redis;
using LumaGateway.Tests.Caching;
using LumaGateway.Tests.Time;
using LumaGateway.Time;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace LumaGateway.Tests.Redis;

public sealed class RedisResilienceTests
{
    private static readonly TimeSpan Timeout = new RedisResilienceOptions().RedisTimeout;

    private readonly CountingClock _clock = new();
    private readonly RedisState _state;
    private readonly RedisResilience _resilience;

    public RedisResilienceTests()
    {
        _state = new RedisState(_clock);
        var connection = new RedisConnection(Options.Create(new RedisOptions()), _clock, NullLogger<RedisConnection>.Instance);
        _resilience = new RedisResilience(Options.Create(new RedisResilienceOptions()), connection, new MonotonicClock(_clock), _state, NullLogger<RedisResilience>.Instance);
    }

    [Fact]
    public async Task A_step_that_times_out_is_abandoned()
    {
        var step = new TaskCompletionSource<int>();

        var reading = _resilience.ReadAsync(() => step.Task, -1);
        _clock.Advance(Timeout);

        Assert.Equal((-1, false), await reading);
    }

    [Fact]
    public async Task One_time_out_after_a_success_does_not_open_the_breaker()
    {
        await ReadAsync();

        await RunOutOfTimeAsync();

        Assert.True(_state.IsUsable);
        Assert.Equal((1, true), await ReadAsync());
    }

    [Fact]
    public async Task Two_time_outs_open_the_breaker()
    {
        await RunOutOfTimeAsync();
        await RunOutOfTimeAsync();

        Assert.False(_state.IsUsable);
        Assert.Equal((-1, false), await ReadAsync());
    }

    [Fact]
    public async Task A_lock_that_succeeds_closes_the_breaker_of_reads()
    {
        await RunOutOfTimeAsync();
        await RunOutOfTimeAsync();
        Assert.False(_state.IsUsable);

        await _resilience.LockAsync(() => Task.FromResult(true), false, _ => { });

        Assert.Equal((1, true), await ReadAsync());
        await Eventually.TrueAsync(() => _state.IsUsable);
    }

    [Fact]
    public async Task A_step_with_extendTimeout_gets_another_time_out_while_Redis_works()
    {
        var step = new TaskCompletionSource<int>();
        var reading = _resilience.ReadAsync(() => step.Task, -1, extendTimeout: true);
        _clock.Advance(Timeout);
        await QueuedWorkAsync();
        Assert.False(reading.IsCompleted);

        step.SetResult(1);

        Assert.Equal((1, true), await reading);
    }

    [Fact]
    public async Task A_step_with_extendTimeout_is_abandoned_while_the_breaker_is_open()
    {
        await RunOutOfTimeAsync();
        await RunOutOfTimeAsync();

        var locking = _resilience.LockAsync(() => new TaskCompletionSource<bool>().Task, false, _ => { });
        _clock.Advance(Timeout);

        Assert.Equal((false, false), await locking);
    }

    [Fact]
    public async Task A_time_out_that_fires_late_gives_the_step_another_one()
    {
        var step = new TaskCompletionSource<int>();
        var reading = _resilience.ReadAsync(() => step.Task, -1);
        _clock.Advance(Timeout * 2);
        await QueuedWorkAsync();
        Assert.False(reading.IsCompleted);

        step.SetResult(1);

        Assert.Equal((1, true), await reading);
    }

    [Fact]
    public async Task Steps_that_start_together_share_one_timer()
    {
        var steps = Enumerable.Range(0, 10).Select(_ => new TaskCompletionSource<int>()).ToList();

        var reading = steps.ConvertAll(step => _resilience.ReadAsync(() => step.Task, -1));

        Assert.Equal(1, _clock.Timers);
        steps.ForEach(step => step.SetResult(1));
        Assert.All(await Task.WhenAll(reading), result => Assert.True(result.Succeeded));
    }

    private Task<(int Value, bool Succeeded)> ReadAsync() => _resilience.ReadAsync(() => Task.FromResult(1), -1);

    private async Task RunOutOfTimeAsync()
    {
        var reading = _resilience.ReadAsync(() => new TaskCompletionSource<int>().Task, -1);
        _clock.Advance(Timeout);
        await reading;
    }

    /// <summary>Yields, so that the thread pool starts the work that was queued before.</summary>
    private static async Task QueuedWorkAsync() => await Task.Yield();
}
