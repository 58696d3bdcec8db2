using Microsoft.Extensions.Options;
using Polly;
using Polly.CircuitBreaker;

namespace LumaGateway.Caching;

/// <summary>
/// Keeps Redis's faults and slowness away from callers: every step has a soft time-out, and repeated failure opens a breaker. Reads and
/// writes are judged apart, since a full or read-only Redis still reads.
/// </summary>
internal sealed partial class RedisGuard
{
    private readonly ResiliencePipeline _reads;
    private readonly ResiliencePipeline _writes;

    public RedisGuard(IOptions<CacheOptions> options, TimeProvider clock, CacheMetrics metrics, ILogger<RedisGuard> logger)
    {
        _reads = Build("read");
        _writes = Build("written");

        ResiliencePipeline Build(string operation) => new ResiliencePipelineBuilder { TimeProvider = clock }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = 0.5,
                MinimumThroughput = 4,
                SamplingDuration = TimeSpan.FromSeconds(5),
                BreakDuration = options.Value.RedisPause,
                OnOpened = _ =>
                {
                    metrics.RedisIs(operation, usable: false);
                    Log.LeftAlone(logger, operation);
                    return default;
                },
                OnClosed = _ =>
                {
                    metrics.RedisIs(operation, usable: true);
                    Log.UsedAgain(logger, operation);
                    return default;
                },
            })
            .AddTimeout(options.Value.RedisTimeout)
            .Build();
    }

    /// <summary>The value read, or <paramref name="otherwise"/> and false where Redis did not give it in time.</summary>
    public Task<(T Value, bool Succeeded)> ReadAsync<T>(Func<Task<T>> read, T otherwise) => RunAsync(_reads, read, otherwise);

    /// <summary>The value that the write gave, or <paramref name="otherwise"/> and false where Redis did not take it in time.</summary>
    public Task<(T Value, bool Succeeded)> WriteAsync<T>(Func<Task<T>> write, T otherwise) => RunAsync(_writes, write, otherwise);

    private static async Task<(T Value, bool Succeeded)> RunAsync<T>(ResiliencePipeline pipeline, Func<Task<T>> step, T otherwise)
    {
        var outcome = await pipeline.ExecuteOutcomeAsync(
            static async (context, step) =>
            {
                try
                {
                    // Redis's commands cannot be cancelled: they are left behind.
                    return Outcome.FromResult(await step().WaitAsync(context.CancellationToken));
                }
#pragma warning disable CA1031 // whatever Redis or its client throws, the gateway goes on without
                catch (Exception exception)
#pragma warning restore CA1031
                {
                    return Outcome.FromException<T>(exception);
                }
            },
            ResilienceContextPool.Shared.Get(),
            step);

        return outcome.Exception is null ? (outcome.Result!, true) : (otherwise, false);
    }

    private static partial class Log
    {
        [LoggerMessage(2011, LogLevel.Warning, "Redis cannot be {Operation}; it is left alone for a while.")]
        public static partial void LeftAlone(ILogger logger, string operation);

        [LoggerMessage(2012, LogLevel.Information, "Redis can be {Operation} again.")]
        public static partial void UsedAgain(ILogger logger, string operation);
    }
}
