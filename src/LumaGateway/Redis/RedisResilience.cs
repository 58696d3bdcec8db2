using LumaGateway.Time;
using Microsoft.Extensions.Options;
using Polly;
using Polly.CircuitBreaker;

namespace LumaGateway.Redis;

/// <summary>
/// Keeps Redis's faults and slowness away from callers: every step has a soft time-out, and repeated failure opens a breaker. Reads and
/// writes are judged apart, since a full or read-only Redis still reads. A patient step, one that saves a request of the upstream, is given
/// its time up to <see cref="MaxRounds"/> times, but only while Redis works for the others.
/// </summary>
internal sealed partial class RedisResilience
{
    /// <summary>How often a step is given its time: anew where the time-out itself came late, or the step is patient.</summary>
    private const int MaxRounds = 8;

    private readonly TimeSpan _timeout;
    private readonly TimeProvider _clock;
    private readonly RedisMetrics _metrics;
    private readonly ResiliencePipeline _reads;
    private readonly ResiliencePipeline _writes;

    public RedisResilience(IOptions<RedisResilienceOptions> options, RedisConnection redis, MonotonicClock clock, RedisMetrics metrics, ILogger<RedisResilience> logger)
    {
        (_timeout, _clock, _metrics) = (options.Value.RedisTimeout, clock, metrics);
        _reads = Build(RedisUse.Read);
        _writes = Build(RedisUse.Write);

        ResiliencePipeline Build(RedisUse use) => new ResiliencePipelineBuilder { TimeProvider = clock }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                // A short memory: what worked a few seconds ago must not keep callers waiting for what does not work now. Two failures and most of
                // what was tried: one slow answer after a quick one says nothing.
                FailureRatio = 0.6,
                MinimumThroughput = 2,
                SamplingDuration = TimeSpan.FromSeconds(1),
                BreakDuration = options.Value.RedisPause,
                OnOpened = _ => Opened(use),
                OnClosed = _ => Turned(use, usable: true),
            })
            .Build();

        ValueTask Opened(RedisUse use)
        {
            _ = LookAgainAsync(); // it never throws
            return Turned(use, usable: false);
        }

        // Half way to the next probe: it sees what has changed by then, and is over.
        async Task LookAgainAsync()
        {
            await Task.Delay(options.Value.RedisPause / 2, clock);
            await redis.LookAgainAsync();
        }

        // A probe that fails opens the breaker again: that is no change.
        ValueTask Turned(RedisUse use, bool usable)
        {
            if (metrics.Turned(use, usable))
            {
                Log.Turned(logger, usable ? LogLevel.Information : LogLevel.Warning, use, usable ? "works again" : "fails; it is left alone meanwhile");
            }

            return default;
        }
    }

    /// <summary>The value read, or <paramref name="otherwise"/> and false where Redis did not give it in time.</summary>
    public Task<(T Value, bool Succeeded)> ReadAsync<T>(Func<Task<T>> read, T otherwise, bool isPatient = false) =>
        RunAsync(_reads, "read", read, otherwise, isPatient, null);

    /// <summary>The value that the write gave, or <paramref name="otherwise"/> and false where Redis did not take it in time.</summary>
    public Task<(T Value, bool Succeeded)> WriteAsync<T>(Func<Task<T>> write, T otherwise) =>
        RunAsync(_writes, "write", write, otherwise, isPatient: false, null);

    /// <summary>As <see cref="WriteAsync"/>, patiently.</summary>
    /// <param name="take">The step.</param>
    /// <param name="leftBehind">Gets the step where it took too long: it cannot be cancelled, and may still succeed.</param>
    public Task<(T? Value, bool Succeeded)> LockAsync<T>(Func<Task<T?>> take, Action<Task<T?>> leftBehind)
        where T : class => RunAsync(_writes, "lock", take, null, isPatient: true, leftBehind);

    private async Task<(T Value, bool Succeeded)> RunAsync<T>(
        ResiliencePipeline pipeline, string operation, Func<Task<T>> begin, T otherwise, bool isPatient, Action<Task<T>>? leftBehind)
    {
        var context = ResilienceContextPool.Shared.Get();
        var outcome = await pipeline.ExecuteOutcomeAsync(
            static async (_, run) =>
            {
                using var span = RedisSpan.Start(run.operation);
                var step = default(Task<T>);
                try
                {
                    step = run.begin();
                    var value = await run.guard.InTimeAsync(step, run.isPatient);
                    run.guard._metrics.Heard();
                    return Outcome.FromResult(value);
                }
#pragma warning disable CA1031 // whatever Redis or its client throws, the gateway goes on without
                catch (Exception exception)
#pragma warning restore CA1031
                {
                    span.Fail(exception);
                    if (step is not null)
                    {
                        run.leftBehind?.Invoke(step);
                    }

                    return Outcome.FromException<T>(exception);
                }
            },
            context,
            (guard: this, operation, begin, isPatient, leftBehind));
        ResilienceContextPool.Shared.Return(context);

        return outcome.Exception is null ? (outcome.Result!, true) : (otherwise, false);
    }

    /// <summary>A time-out that comes late says that this process is short of CPU, not that Redis is slow: the step gets its time anew.</summary>
    private async Task<T> InTimeAsync<T>(Task<T> step, bool isPatient)
    {
        for (var round = 1; ; round++)
        {
            var begun = _clock.GetTimestamp();
            try
            {
                return await step.WaitAsync(_timeout, _clock);
            }
            catch (TimeoutException) when (!step.IsCompleted && round < MaxRounds)
            {
                // Timers go before everything else that waits for a thread, Redis's answer included: only what has waited in the same queue can tell.
                await Task.Yield();
                var isLate = _clock.GetElapsedTime(begun) > _timeout * 1.2;
                if (!step.IsCompleted && !isLate && !(isPatient && _metrics.IsUsable))
                {
                    throw;
                }
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2011, Message = "Redis, asked to {Use}, {Turn}.")]
        public static partial void Turned(ILogger logger, LogLevel level, RedisUse use, string turn);
    }
}
