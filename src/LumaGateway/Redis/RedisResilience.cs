using LumaGateway.Time;
using Microsoft.Extensions.Options;
using Polly;
using Polly.CircuitBreaker;

namespace LumaGateway.Redis;

/// <summary>
/// Isolates callers from faults and slowness of Redis: every step has a soft timeout, and repeated failures open a circuit breaker. Reads and writes
/// have separate breakers, since a full or read-only Redis still reads. A step with <c>extendTimeout</c> saves an upstream request:
/// it gets up to <see cref="MaxTimeouts"/> timeouts while Redis works for other steps.
/// </summary>
internal sealed partial class RedisResilience
{
    /// <summary>The maximum number of timeouts of a step. It gets another one if the timeout fired late, or with <c>extendTimeout</c>.</summary>
    private const int MaxTimeouts = 8;

    private readonly TimeSpan _timeout;
    private readonly SharedTimeout _timeouts;
    private readonly TimeProvider _clock;
    private readonly RedisState _state;
    private readonly CircuitBreakerManualControl _readBreaker = new();
    private readonly ResiliencePipeline _reads;
    private readonly ResiliencePipeline _writes;

    public RedisResilience(IOptions<RedisResilienceOptions> options, RedisConnection redis, MonotonicClock clock, RedisState state, ILogger<RedisResilience> logger)
    {
        (_timeout, _clock, _state) = (options.Value.RedisTimeout, clock, state);
        _timeouts = new SharedTimeout(_timeout, clock);
        _reads = Build(RedisUse.Read, _readBreaker);
        _writes = Build(RedisUse.Write, null);

        ResiliencePipeline Build(RedisUse use, CircuitBreakerManualControl? control) => new ResiliencePipelineBuilder { TimeProvider = clock }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                // A short window: earlier successes must not delay the opening of the breaker. At least two failures, so that one slow step does not
                // open it.
                FailureRatio = 0.6,
                MinimumThroughput = 2,
                SamplingDuration = TimeSpan.FromSeconds(1),
                BreakDuration = options.Value.RedisPause,
                ManualControl = control,
                OnOpened = _ => OnOpened(use),
                OnClosed = _ => OnStateChanged(use, usable: true),
            })
            .Build();

        ValueTask OnOpened(RedisUse use)
        {
            _ = DiscoverRolesAsync(); // not awaited: it handles the failures of Redis
            return OnStateChanged(use, usable: false);
        }

        // Half way to the next probe: role discovery is done by then.
        async Task DiscoverRolesAsync()
        {
            await Task.Delay(options.Value.RedisPause / 2, clock);
            await redis.DiscoverRolesAsync();
        }

        // A failed probe opens the breaker again: the state does not change.
        ValueTask OnStateChanged(RedisUse use, bool usable)
        {
            if (state.SetUsable(use, usable))
            {
                if (usable)
                {
                    Log.Usable(logger, use);
                }
                else
                {
                    Log.Unusable(logger, use);
                }
            }

            return default;
        }
    }

    /// <summary>Returns the value, or <paramref name="fallback"/> and false if Redis did not respond in time.</summary>
    public Task<(T Value, bool Succeeded)> ReadAsync<T>(Func<Task<T>> read, T fallback, bool extendTimeout = false) =>
        RunAsync(_reads, new Step<T>(this, "read", read, extendTimeout), fallback);

    /// <summary>Returns the result of the write, or <paramref name="fallback"/> and false if Redis did not respond in time.</summary>
    public Task<(T Value, bool Succeeded)> WriteAsync<T>(Func<Task<T>> write, T fallback) =>
        RunAsync(_writes, new Step<T>(this, "write", write), fallback);

    /// <summary>
    /// As <see cref="WriteAsync"/>. The step also reads, so its success closes the breaker of reads: steps that only read are rare.
    /// </summary>
    /// <param name="acquire">Acquires the lock.</param>
    /// <param name="fallback">The value if Redis did not respond in time.</param>
    /// <param name="onTimeout">Receives the step if it timed out: it cannot be cancelled and may still succeed.</param>
    /// <param name="extendTimeout">Whether the step gets several timeouts while Redis works.</param>
    public Task<(T Value, bool Succeeded)> LockAsync<T>(Func<Task<T>> acquire, T fallback, Action<Task<T>> onTimeout, bool extendTimeout = true) =>
        RunAsync(_writes, new Step<T>(this, "lock", acquire, extendTimeout, AlsoReads: true, onTimeout), fallback);

    private static async Task<(T Value, bool Succeeded)> RunAsync<T>(ResiliencePipeline pipeline, Step<T> step, T fallback)
    {
        // Polly's strategies handle objects. A result of another type would be converted in each of them.
        // The captured context is null in ASP.NET Core. In a simulation it is the one that runs all steps in an order given by a seed.
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: true);
        var outcome = await pipeline.ExecuteOutcomeAsync<object, Step<T>>(static (_, step) => step.Resilience.RunOnceAsync(step), context, step);
        ResilienceContextPool.Shared.Return(context);

        return outcome.Exception is null ? ((T)outcome.Result!, true) : (fallback, false);
    }

    private async ValueTask<Outcome<object>> RunOnceAsync<T>(Step<T> step)
    {
        using var span = RedisSpan.Start(step.Operation);
        var running = default(Task<T>);
        try
        {
            running = step.Start();
            for (var timeouts = 1; !running.IsCompleted; timeouts++)
            {
                await ((Task)running).WaitAsync(_timeouts.GetToken(out var timerStartedAt)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
                if (!running.IsCompleted && !await IsWorthWaitingAsync(running, timerStartedAt, timeouts, step.ExtendTimeout))
                {
                    throw new TimeoutException();
                }
            }

            var value = await running;
            _state.RecordResponse();
            if (step.AlsoReads && !_state.IsUsableFor(RedisUse.Read))
            {
                _ = _readBreaker.CloseAsync(CancellationToken.None); // ends with the callback, which never throws
            }

            return Outcome.FromResult<object>(value);
        }
#pragma warning disable CA1031 // no exception of Redis or its client may reach a caller
        catch (Exception exception)
#pragma warning restore CA1031
        {
            span.Fail(exception);
            if (running is not null)
            {
                step.OnTimeout?.Invoke(running);
            }

            return Outcome.FromException<object>(exception);
        }
    }

    /// <summary>A timeout that fires late means that this process lacks CPU time, not that Redis is slow: the step gets another timeout.</summary>
    private async Task<bool> IsWorthWaitingAsync(Task running, long timerStartedAt, int timeouts, bool extendTimeout)
    {
        // Timers run before other work items, the response of Redis included: a work item of the same queue shows whether the response was waiting.
        await Task.Yield();
        var isLate = _clock.GetElapsedTime(timerStartedAt) > _timeout * 1.2;
        return running.IsCompleted || (timeouts < MaxTimeouts && (isLate || (extendTimeout && _state.IsUsable)));
    }

    private readonly record struct Step<T>(
        RedisResilience Resilience, string Operation, Func<Task<T>> Start, bool ExtendTimeout = false, bool AlsoReads = false, Action<Task<T>>? OnTimeout = null);

    private static partial class Log
    {
        [LoggerMessage(2011, LogLevel.Warning, "Redis fails ({Use}); the gateway does not use it for Cache:RedisPause and then tries again (infra/redis.md).")]
        public static partial void Unusable(ILogger logger, RedisUse use);

        [LoggerMessage(2012, LogLevel.Information, "Redis works again ({Use}).")]
        public static partial void Usable(ILogger logger, RedisUse use);
    }
}
