using System.Collections.Concurrent;
using System.Diagnostics;

namespace LumaGateway.Caching;

/// <summary>
/// Lets concurrent callers of one key share one piece of work, its result or its exception. The work outlives its callers, and
/// an exception outlives no flight. Scope is this process. Thread-safe.
/// </summary>
internal sealed class SingleFlight<TResult>
{
    private readonly ConcurrentDictionary<CacheKey, InFlightFetch> _inFlight = new();

    /// <summary>Begins the work, or joins it where it is under way.</summary>
    public InFlightFetch JoinOrBegin(CacheKey key, Func<InFlightFetch, Task<TResult>> work, out bool joined)
    {
        var mine = new InFlightFetch(key);
        var flight = _inFlight.GetOrAdd(key, mine);
        joined = !ReferenceEquals(flight, mine);
        if (!joined)
        {
            _ = RunAsync(mine, work);
        }

        return flight;
    }

    /// <summary>Whoever comes from now on begins anew; the result of the flight under way, if there is one, must not be kept.</summary>
    public void Doom(CacheKey key)
    {
        if (_inFlight.TryRemove(key, out var flight))
        {
            flight.IsDoomed = true;
        }
    }

    private async Task RunAsync(InFlightFetch flight, Func<InFlightFetch, Task<TResult>> work)
    {
        try
        {
            var result = await work(flight);
            _inFlight.TryRemove(new(flight.Key, flight));
            flight.Land(result);
        }
        catch (Exception exception)
        {
            _inFlight.TryRemove(new(flight.Key, flight));
            flight.Landing.TrySetException(exception);
            _ = flight.Landing.Task.Exception; // observed, even if every caller has left
        }
    }

    /// <summary>One piece of work under way.</summary>
    internal sealed class InFlightFetch(CacheKey key)
    {
        private volatile bool _isDoomed;

        public CacheKey Key => key;

        public bool IsDoomed
        {
            get => _isDoomed;
            set => _isDoomed = value;
        }

        /// <summary>The span of the work, for those who join to link to. Not to be read before it has landed.</summary>
        public ActivityContext? Context { get; set; }

        public Task<TResult> Landed => Landing.Task;

        /// <summary>Gives all who wait, or come meanwhile, a result. The work may go on: whatever comes of it later is no longer told.</summary>
        public void Land(TResult result) => Landing.TrySetResult(result);

        internal TaskCompletionSource<TResult> Landing { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
