using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace LumaGateway.Hosting;

/// <summary>
/// An awaitable that continues on the thread pool. Up to <see cref="MaxBatch"/> requests that wait at the same time continue one after the other on one thread: the Redis client then sends their commands
/// together, with half as many system calls. If a thread is free, it runs the remaining requests in parallel. Thread-safe.
/// </summary>
internal sealed class RequestQueue : IThreadPoolWorkItem, ICriticalNotifyCompletion
{
    /// <summary>The maximum number of requests that continue together. With more, Redis would wait for their commands while the gateway runs them (bench/LOG.md).</summary>
    private const int MaxBatch = 16;

    private readonly ConcurrentQueue<Action> _waiting = new();
    private int _isScheduled;

    public bool IsCompleted => false;

    public RequestQueue GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    public void UnsafeOnCompleted(Action continuation)
    {
        _waiting.Enqueue(continuation);
        Schedule();
    }

    void IThreadPoolWorkItem.Execute()
    {
        Interlocked.Exchange(ref _isScheduled, 0); // before the count: a request that is added after this line schedules the queue again
        var count = Math.Min(_waiting.Count, MaxBatch);
        if (count > 1)
        {
            Schedule();
        }

        // No more than were waiting: other work of this thread, such as sending to Redis, must not wait for requests that arrive meanwhile.
        for (; count > 0 && _waiting.TryDequeue(out var next); count--)
        {
            next();
        }
    }

    private void Schedule()
    {
        if (Interlocked.Exchange(ref _isScheduled, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }
}
