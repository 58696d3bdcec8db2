using LumaGateway.Time;
using Microsoft.Extensions.Options;
using Polly;
using Polly.CircuitBreaker;

namespace LumaGateway.Redis;

/// <summary>
/// Isolates callers from faults and slowness of Redis: every step has a soft time-out, and repeated failures open a circuit breaker. Reads and writes
/// have separate breakers, since a full or read-only Redis still reads. A patient step saves an upstream request: it gets its time-out up to <see
/// cref="MaxRounds"/> times while Redis works for other steps.
/// </summary>
internal sealed partial class RedisResilience
{
    /// <summary>How many time-outs a step gets: again if the time-out itself fired late, or if the step is patient.</summary>
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
                // A short window: earlier successes must not delay the opening of the breaker. At least two failures, so that one slow step does not
                // open it.
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

        // Half way to the next probe: role discovery is done by then.
        async Task LookAgainAsync()
        {
            await Task.Delay(options.Value.RedisPause / 2, clock);
            await redis.LookAgainAsync();
        }

        // A failed probe opens the breaker again: the state does not change.
        ValueTask Turned(RedisUse use, bool usable)
        {
            if (metrics.Turned(use, usable))
            {
                Log.Turned(logger, usable ? LogLevel.Information : LogLevel.Warning, use, usable ? "works again" : "fails; it is left alone meanwhile");
            }

            return default;
        }
    }

    /// <summary>Returns the value, or <paramref name="otherwise"/> and false if Redis did not respond in time.</summary>
    public Task<(T Value, bool Succeeded)> ReadAsync<T>(Func<Task<T>> read, T otherwise, bool isPatient = false) =>
        RunAsync(_reads, "read", read, otherwise, isPatient, null);

    /// <summary>Returns the result of the write, or <paramref name="otherwise"/> and false if Redis did not respond in time.</summary>
    public Task<(T Value, bool Succeeded)> WriteAsync<T>(Func<Task<T>> write, T otherwise) =>
        RunAsync(_writes, "write", write, otherwise, isPatient: false, null);

    /// <summary>As <see cref="WriteAsync"/>, with retries of a patient step.</summary>
    /// <param name="take">The step.</param>
    /// <param name="leftBehind">Receives the step if it timed out: it cannot be cancelled and may still succeed.</param>
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
#pragma warning disable CA1031 // no exception of Redis or its client may reach a caller
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

    /// <summary>A time-out that fires late means that this process lacks CPU time, not that Redis is slow: the step gets another time-out.</summary>
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
                // Timers run before other work items, the response of Redis included: only an item of the same queue shows whether it was waiting.
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
