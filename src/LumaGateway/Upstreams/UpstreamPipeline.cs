using LumaGateway.Problems;
using LumaGateway.Time;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;

namespace LumaGateway.Upstreams;

/// <summary>
/// The resilience pipeline around every read of the upstream, body included: retries, circuit breaker and attempt timeout, within the read's deadline.
/// One instance per account, because the circuit breaker represents the state of the account's upstream: repeated failures of one path count once per
/// <c>Luma:BreakerWindow</c>. For reads only, because a create must not be retried.
/// </summary>
internal sealed partial class UpstreamPipeline
{
    private const int MaxJitterMilliseconds = 200;

    private static readonly ResiliencePropertyKey<Deadline> DeadlineKey = new("deadline");

    private readonly ResiliencePipeline _retries;
    private readonly ResiliencePipeline _breaker;
    private readonly TimeSpan _attemptTimeout;
    private readonly SharedTimeout _attemptTimeouts;
    private readonly CircuitBreakerStateProvider _breakerState = new();
    private readonly FailingPaths _failingPaths;
    private readonly RetryBudget _budget = new();

    public UpstreamPipeline(LumaOptions luma, UpstreamAccount account, MonotonicClock clock, ILogger<UpstreamPipeline> logger)
    {
        (_attemptTimeout, _attemptTimeouts) = (luma.AttemptTimeout, new SharedTimeout(luma.AttemptTimeout, clock));
        _failingPaths = new FailingPaths(luma.BreakerWindow, clock);
        var builder = new ResiliencePipelineBuilder { TimeProvider = clock };

        // Polly rejects a retry strategy with zero attempts.
        if (luma.Retries > 0)
        {
            builder.AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = luma.Retries,
                Delay = luma.RetryDelay,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                ShouldHandle = args => new(ShouldRetry(args.Outcome.Exception, args.Context)),
                DelayGenerator = args => new(WithJitter((args.Outcome.Exception as UpstreamException)?.RetryAfter)),
                OnRetry = _ =>
                {
                    account.Metrics.RecordRetry();
                    return default;
                },
            });
        }

        _retries = builder.Build();
        _breaker = new ResiliencePipelineBuilder { TimeProvider = clock }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = luma.BreakerFailureRatio,
                MinimumThroughput = luma.BreakerMinimumCalls,
                SamplingDuration = luma.BreakerWindow,
                BreakDuration = luma.BreakerPause,
                ShouldHandle = args => new(IsUpstreamDown(args.Outcome.Exception) || (IsInconclusive(args.Outcome.Exception) && _breakerState.CircuitState is CircuitState.HalfOpen)),
                StateProvider = _breakerState,
                OnOpened = args =>
                {
                    _failingPaths.Clear(); // the next attempt must be counted, whatever its path
                    account.State.IsBreakerOpen = true;
                    Log.BreakerOpened(logger, account.Name, args.BreakDuration.TotalSeconds);
                    return default;
                },
                OnClosed = _ =>
                {
                    account.State.IsBreakerOpen = false;
                    Log.BreakerClosed(logger, account.Name);
                    return default;
                },
            })
            .Build();
    }

    /// <summary>Runs one read. Throws <see cref="UpstreamException"/> for every failure.</summary>
    /// <param name="path">The path that is read.</param>
    /// <param name="attempt">One attempt.</param>
    /// <param name="state">Passed to each attempt.</param>
    /// <param name="deadline">The limit on all attempts together.</param>
    public async Task<TResult> ExecuteAsync<TState, TResult>(
        string path, Func<TState, CancellationToken, Task<TResult>> attempt, TState state, Deadline deadline)
    {
        _budget.AddRead();
        var outcome = await AttemptAsync(path, attempt, state, deadline);
        if (outcome.Exception is not null)
        {
            outcome = await RetryAsync(outcome, path, attempt, state, deadline);
        }

        switch (outcome.Exception)
        {
            case BrokenCircuitException exception:
                throw new UpstreamException(UpstreamFault.CircuitOpen, "The circuit breaker is open.") { RetryAfter = exception.RetryAfter };
            case OperationCanceledException:
                throw new UpstreamException(UpstreamFault.TimedOut, "The deadline has passed.");
            default:
                outcome.ThrowIfException();
                return (TResult)outcome.Result!;
        }
    }

    /// <summary>Retries after the first attempt has failed. A read that succeeds at once does not pass the retry strategy.</summary>
    private async ValueTask<Outcome<object>> RetryAsync<TState, TResult>(
        Outcome<object> first, string path, Func<TState, CancellationToken, Task<TResult>> attempt, TState state, Deadline deadline)
    {
        var isFirst = true;
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: true, deadline.Token); // see AttemptAsync
        context.Properties.Set(DeadlineKey, deadline);
        try
        {
            return await _retries.ExecuteOutcomeAsync<object, bool>(
                (_, _) =>
                {
                    if (!isFirst)
                    {
                        return AttemptAsync(path, attempt, state, deadline);
                    }

                    isFirst = false;
                    return new(first);
                },
                context,
                default);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    /// <summary>
    /// Runs one attempt. While the circuit breaker is closed, it counts the outcome afterwards, and does not count two kinds. Further failures of a path that has failed recently
    /// would open the circuit breaker for every path. An inconclusive outcome, counted as a success, would hide that the upstream is down.
    /// </summary>
    private async ValueTask<Outcome<object>> AttemptAsync<TState, TResult>(
        string path, Func<TState, CancellationToken, Task<TResult>> attempt, TState state, Deadline deadline)
    {
        Outcome<object> outcome;
        bool isCounted;
        if (_breakerState.CircuitState is CircuitState.Closed)
        {
            isCounted = !_failingPaths.Contains(path);
            outcome = await RunAsync(attempt, state, deadline);
            if (isCounted && !IsInconclusive(outcome.Exception) && _breakerState.CircuitState is CircuitState.Closed)
            {
                await ExecuteInBreakerAsync(static outcome => new(outcome), outcome);
            }
        }
        else
        {
            isCounted = true;
            outcome = await ExecuteInBreakerAsync(
                static read => read.Pipeline.RunAsync(read.Attempt, read.State, read.Deadline), (Pipeline: this, Attempt: attempt, State: state, Deadline: deadline));
        }

        if (outcome.Exception is null)
        {
            _failingPaths.Remove(path);
        }
        else if (isCounted && MayDependOnPath(outcome.Exception))
        {
            _failingPaths.Add(path);
        }

        return outcome;
    }

    private async ValueTask<Outcome<object>> ExecuteInBreakerAsync<TState>(Func<TState, ValueTask<Outcome<object>>> callback, TState state)
    {
        // Polly's strategies handle objects. A result of another type would be converted in each of them.
        // The captured context is null in ASP.NET Core. In a simulation it is the one that runs all steps in an order given by a seed.
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: true);
        var outcome = await _breaker.ExecuteOutcomeAsync<object, (Func<TState, ValueTask<Outcome<object>>> Callback, TState State)>(
            static (_, one) => one.Callback(one.State), context, (callback, state));
        ResilienceContextPool.Shared.Return(context);
        return outcome;
    }

    /// <summary>
    /// Ends at the timeout of an attempt with <see cref="UpstreamFault.TimedOut"/>, at the deadline with the same or with an <see cref="OperationCanceledException"/>:
    /// see <see cref="UpstreamTransport.GetAsync"/>. Nothing else cancels an attempt: a read continues after its callers have disconnected.
    /// </summary>
    private async ValueTask<Outcome<object>> RunAsync<TState, TResult>(Func<TState, CancellationToken, Task<TResult>> attempt, TState state, Deadline deadline)
    {
        var isLimited = _attemptTimeout < deadline.Remaining;
        var token = isLimited ? _attemptTimeouts.GetToken(out _) : deadline.Token;
        try
        {
            return Outcome.FromResult<object>(await attempt(state, token));
        }
        catch (OperationCanceledException) when (isLimited && token.IsCancellationRequested)
        {
            return Outcome.FromException<object>(new UpstreamException(UpstreamFault.TimedOut, "The last attempt timed out."));
        }
#pragma warning disable CA1031 // the outcome carries it to the caller
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return Outcome.FromException<object>(exception);
        }
    }

    /// <summary>Adds a random delay, so that clients with the same <c>Retry-After</c> do not retry at the same time. Null means the usual back-off.</summary>
    private static TimeSpan? WithJitter(TimeSpan? retryAfter) => retryAfter + TimeSpan.FromMilliseconds(Random.Shared.Next(10, MaxJitterMilliseconds));

    private static bool IsUpstreamDown(Exception? exception) => exception is UpstreamException { Fault: UpstreamFault.Unreachable or UpstreamFault.Failed or UpstreamFault.TimedOut };

    /// <summary>
    /// Whether the attempt ended before the upstream could respond, or because of a <c>Retry-After</c>. It proves nothing: a probe of the half-open circuit breaker has failed then.
    /// </summary>
    private static bool IsInconclusive(Exception? exception) =>
        exception is OperationCanceledException or UpstreamException { Fault: UpstreamFault.Saturated } or UpstreamException { Fault: UpstreamFault.Throttled, RetryAfter: not null };

    /// <summary>Whether the failure may depend on the path. A connection failure does not.</summary>
    private static bool MayDependOnPath(Exception exception) => exception is UpstreamException { Fault: UpstreamFault.Failed or UpstreamFault.TimedOut };

    /// <summary>Retries if another attempt may succeed and can start before the deadline, and the budget allows it.</summary>
    private bool ShouldRetry(Exception? exception, ResilienceContext context)
    {
        if (context.CancellationToken.IsCancellationRequested)
        {
            return false; // the deadline has passed
        }

        var remaining = context.Properties.GetValue(DeadlineKey, null!).Remaining;

        return exception is UpstreamException { Fault: UpstreamFault.Throttled, RetryAfter: { } retryAfter }
            ? retryAfter + TimeSpan.FromMilliseconds(MaxJitterMilliseconds) < remaining
            : (IsUpstreamDown(exception) || exception is UpstreamException { Fault: UpstreamFault.Throttled }) && _budget.TryTakeRetry();
    }

    private static partial class Log
    {
        [LoggerMessage(3011, LogLevel.Warning, "The upstream of account {Account} keeps failing: the circuit breaker is open, and its reads fail without a request for {Seconds} s (Luma:BreakerPause).")]
        public static partial void BreakerOpened(ILogger logger, string account, double seconds);

        [LoggerMessage(3012, LogLevel.Information, "The upstream of account {Account} responds again: the circuit breaker is closed.")]
        public static partial void BreakerClosed(ILogger logger, string account);
    }
}
