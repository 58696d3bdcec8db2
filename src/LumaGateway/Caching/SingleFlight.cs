using System.Collections.Concurrent;
using System.Diagnostics;

namespace LumaGateway.Caching;

/// <summary>
/// Lets concurrent callers of one key share one fetch, its result or its exception. The fetch outlives its callers. An exception is not kept. Scope is
/// this process. Thread-safe.
/// </summary>
internal sealed class SingleFlight<TResult>
{
    private readonly ConcurrentDictionary<CacheKey, InFlightFetch> _inFlight = new();

    /// <summary>Starts the fetch of a key, or joins the one in flight.</summary>
    public InFlightFetch JoinOrStart(CacheKey key, Func<InFlightFetch, Task<TResult>> work, out bool joined)
    {
        var mine = new InFlightFetch(key);
        var fetch = _inFlight.GetOrAdd(key, mine);
        joined = !ReferenceEquals(fetch, mine);
        if (!joined)
        {
            _ = RunAsync(mine, work);
        }

        return fetch;
    }

    /// <summary>Later callers start a new fetch. The result of the fetch in flight must not be stored.</summary>
    public void Invalidate(CacheKey key)
    {
        if (_inFlight.TryRemove(key, out var fetch))
        {
            fetch.IsInvalidated = true;
        }
    }

    private async Task RunAsync(InFlightFetch fetch, Func<InFlightFetch, Task<TResult>> work)
    {
        try
        {
            var result = await work(fetch);
            _inFlight.TryRemove(new(fetch.Key, fetch));
            fetch.Complete(result);
        }
        catch (Exception exception)
        {
            _inFlight.TryRemove(new(fetch.Key, fetch));
            fetch.Landing.TrySetException(exception);
            _ = fetch.Landing.Task.Exception; // observed, so that it is not reported as unobserved
        }
    }

    /// <summary>A fetch in flight.</summary>
    internal sealed class InFlightFetch(CacheKey key)
    {
        private volatile bool _isDoomed;

        public CacheKey Key => key;

        public bool IsInvalidated
        {
            get => _isDoomed;
            set => _isDoomed = value;
        }

        /// <summary>The span of the fetch, for links from callers that joined. Read it only after completion.</summary>
        public ActivityContext? Context { get; set; }

        public Task<TResult> Completion => Landing.Task;

        /// <summary>Completes all waiting and later callers with a result. The fetch may continue; its later result is not passed on.</summary>
        public void Complete(TResult result) => Landing.TrySetResult(result);

        internal TaskCompletionSource<TResult> Landing { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
