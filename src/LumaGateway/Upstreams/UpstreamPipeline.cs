using LumaGateway.Problems;
using LumaGateway.Time;
using Microsoft.Extensions.Options;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace LumaGateway.Upstreams;

/// <summary>
/// What surrounds every read of the upstream, send and body together: bounded retry, breaker, attempt time-out, under the caller's
/// deadline. One for the process: its breaker is the upstream's state, so that a subject which keeps failing counts once in
/// <c>Luma:BreakerWindow</c>. Reads only: a create is never repeated.
/// </summary>
internal sealed partial class UpstreamPipeline
{
    private static readonly ResiliencePropertyKey<Deadline> DeadlineKey = new("deadline");

    private readonly ResiliencePipeline _retries;
    private readonly ResiliencePipeline _counted;
    private readonly ResiliencePipeline _uncounted;
    private readonly CircuitBreakerStateProvider _circuit = new();
    private readonly FailingIds _failing;
    private readonly RetryBudget _budget = new();

    public UpstreamPipeline(IOptions<LumaOptions> options, MonotonicClock clock, UpstreamMetrics metrics, ILogger<UpstreamPipeline> logger)
    {
        var luma = options.Value;
        _failing = new FailingIds(luma.BreakerWindow, clock);
        var builder = new ResiliencePipelineBuilder { TimeProvider = clock };

        // Polly takes no retry strategy with zero attempts.
        if (luma.Retries > 0)
        {
            builder.AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = luma.Retries,
                Delay = luma.RetryDelay,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                ShouldHandle = args => new(IsWorthRetrying(args.Outcome.Exception, args.Context)),
                DelayGenerator = args => new(Jittered((args.Outcome.Exception as UpstreamException)?.RetryAfter)),
                OnRetry = _ =>
                {
                    metrics.Retried();
                    return default;
                },
            });
        }

        _retries = builder.Build();
        _uncounted = new ResiliencePipelineBuilder { TimeProvider = clock }.AddTimeout(luma.AttemptTimeout).Build();
        _counted = new ResiliencePipelineBuilder { TimeProvider = clock }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = luma.BreakerFailureRatio,
                MinimumThroughput = luma.BreakerMinimumCalls,
                SamplingDuration = luma.BreakerWindow,
                BreakDuration = luma.BreakerPause,
                ShouldHandle = args => new(IsUpstreamDown(args.Outcome.Exception)),
                StateProvider = _circuit,
                OnOpened = args =>
                {
                    _failing.Clear(); // the next probe counts, whatever it asks for
                    metrics.BreakerIs(open: true);
                    Log.BreakerOpened(logger, args.BreakDuration.TotalSeconds);
                    return default;
                },
                OnClosed = _ =>
                {
                    metrics.BreakerIs(open: false);
                    Log.BreakerClosed(logger);
                    return default;
                },
            })
            .AddTimeout(luma.AttemptTimeout)
            .Build();
    }

    /// <summary>Runs one read. Throws <see cref="UpstreamException"/> for whatever goes wrong on the way.</summary>
    /// <param name="subject">What is asked for.</param>
    /// <param name="attempt">One attempt.</param>
    /// <param name="state">What the attempt is given.</param>
    /// <param name="deadline">Ends the whole way.</param>
    public async Task<TAnswer> ExecuteAsync<TState, TAnswer>(
        string subject, Func<TState, CancellationToken, Task<TAnswer>> attempt, TState state, Deadline deadline)
    {
        _budget.Earn();
        var context = ResilienceContextPool.Shared.Get(deadline.Token);
        context.Properties.Set(DeadlineKey, deadline);
        try
        {
            return await _retries.ExecuteAsync(
                static (context, run) => run.pipeline.AttemptAsync(run.subject, run.attempt, run.state, context), context, (pipeline: this, subject, attempt, state));
        }
        catch (BrokenCircuitException exception)
        {
            throw new UpstreamException(UpstreamFault.CircuitOpen, "The circuit is open.") { RetryAfter = exception.RetryAfter };
        }
        catch (TimeoutRejectedException)
        {
            throw new UpstreamException(UpstreamFault.TimedOut, "The last try took too long.");
        }
        catch (OperationCanceledException) when (deadline.HasPassed)
        {
            throw new UpstreamException(UpstreamFault.TimedOut, "The deadline passed.");
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    /// <summary>
    /// One attempt. While the circuit is closed, a subject that has failed of its own is asked for past the breaker: counted as failures its attempts would
    /// open the circuit for everybody, counted as successes they would hide that the upstream is down.
    /// </summary>
    private async ValueTask<TAnswer> AttemptAsync<TState, TAnswer>(
        string subject, Func<TState, CancellationToken, Task<TAnswer>> attempt, TState state, ResilienceContext context)
    {
        var isCounted = _circuit.CircuitState is not CircuitState.Closed || !_failing.Contains(subject);
        try
        {
            var answer = await (isCounted ? _counted : _uncounted).ExecuteAsync(
                static async (context, run) => await run.attempt(run.state, context.CancellationToken), context, (attempt, state));
            _failing.Remove(subject);
            return answer;
        }
        catch (Exception exception) when (isCounted && IsSubjectsOwn(exception))
        {
            _failing.Add(subject);
            throw;
        }
    }

    /// <summary>A little later than asked for: all who were told the same must not come back at the same moment. Null: the usual back-off.</summary>
    private static TimeSpan? Jittered(TimeSpan? wait) => wait + TimeSpan.FromMilliseconds(Random.Shared.Next(10, 200));

    private static bool IsUpstreamDown(Exception? exception) => exception is TimeoutRejectedException
        or UpstreamException { Fault: UpstreamFault.Unreachable or UpstreamFault.Failed };

    /// <summary>Whether it may be the subject that fails, and not the upstream. A connection that cannot be made says nothing of a subject.</summary>
    private static bool IsSubjectsOwn(Exception exception) => exception is TimeoutRejectedException or UpstreamException { Fault: UpstreamFault.Failed };

    /// <summary>Worth it where another try may help, can begin before the deadline, and the budget allows it.</summary>
    private bool IsWorthRetrying(Exception? exception, ResilienceContext context)
    {
        var left = context.Properties.GetValue(DeadlineKey, null!).Remaining;

        return exception is UpstreamException { Fault: UpstreamFault.Throttled, RetryAfter: { } wait }
            ? wait < left
            : (IsUpstreamDown(exception) || exception is UpstreamException { Fault: UpstreamFault.Throttled }) && _budget.TrySpend();
    }

    private static partial class Log
    {
        [LoggerMessage(3011, LogLevel.Warning, "The upstream keeps failing; the circuit is open and nobody asks it for {Seconds} s.")]
        public static partial void BreakerOpened(ILogger logger, double seconds);

        [LoggerMessage(3012, LogLevel.Information, "The upstream answers again; the circuit is closed.")]
        public static partial void BreakerClosed(ILogger logger);
    }
}
