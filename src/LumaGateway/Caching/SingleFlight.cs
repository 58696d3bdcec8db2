using LumaGateway.Contracts;
using System.Collections.Concurrent;
using System.Diagnostics;

namespace LumaGateway.Caching;

/// <summary>
/// Lets concurrent callers of one key share one fetch, its result or its exception. The fetch outlives its callers. An exception is not kept. Scope is
/// this process. Thread-safe.
/// </summary>
internal sealed class SingleFlight<TResult>
{
    private readonly ConcurrentDictionary<GenerationId, InFlightFetch> _inFlight = new();

    /// <summary>Starts the fetch of a key, or joins the one in flight.</summary>
    public InFlightFetch JoinOrStart(GenerationId key, Func<InFlightFetch, Task<TResult>> run, out bool joined) =>
        JoinOrStart(key, run, static (fetch, run) => run(fetch), out joined);

    /// <summary>As the overload above. The state is for a static delegate, which allocates nothing.</summary>
    public InFlightFetch JoinOrStart<TState>(GenerationId key, TState state, Func<InFlightFetch, TState, Task<TResult>> run, out bool joined)
    {
        var started = new InFlightFetch(key);
        var fetch = _inFlight.GetOrAdd(key, started);
        joined = !ReferenceEquals(fetch, started);
        if (!joined)
        {
            _ = RunAsync(started, state, run);
        }

        return fetch;
    }

    /// <summary>Later callers start a new fetch. The result of the fetch in flight must not be stored.</summary>
    public void Invalidate(GenerationId key)
    {
        if (_inFlight.TryRemove(key, out var fetch))
        {
            fetch.IsInvalidated = true;
        }
    }

    private async Task RunAsync<TState>(InFlightFetch fetch, TState state, Func<InFlightFetch, TState, Task<TResult>> run)
    {
        try
        {
            var result = await run(fetch, state);
            _inFlight.TryRemove(new(fetch.Key, fetch));
            fetch.Complete(result);
        }
        catch (Exception exception)
        {
            _inFlight.TryRemove(new(fetch.Key, fetch));
            fetch.Fail(exception);
        }
    }

    /// <summary>A fetch in flight.</summary>
    internal sealed class InFlightFetch(GenerationId key)
    {
        private readonly TaskCompletionSource<TResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile bool _isInvalidated;

        public GenerationId Key => key;

        public bool IsInvalidated
        {
            get => _isInvalidated;
            set => _isInvalidated = value;
        }

        /// <summary>The span of the fetch, for links from callers that joined. Read it only after completion.</summary>
        public ActivityContext? Context { get; set; }

        public Task<TResult> Completion => _completion.Task;

        /// <summary>Completes waiting and later callers with a result. The fetch may continue; callers do not get its later result.</summary>
        public void Complete(TResult result) => _completion.TrySetResult(result);

        internal void Fail(Exception exception)
        {
            _completion.TrySetException(exception);
            _ = _completion.Task.Exception; // observed, so that it is not reported as unobserved
        }
    }
}
