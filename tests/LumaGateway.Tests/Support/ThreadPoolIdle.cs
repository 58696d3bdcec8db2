namespace LumaGateway.Tests.Support;

/// <summary>Waits until the thread pool of this process is idle: no work item is queued or running. The result does not depend on scheduling.</summary>
internal static class ThreadPoolIdle
{
    /// <summary>Blocks the calling thread, which must not be a thread of the pool. Throws if the pool does not become idle.</summary>
    public static void Wait(CancellationToken cancelled)
    {
        if (Thread.CurrentThread.IsThreadPoolThread)
        {
            throw new InvalidOperationException("A thread of the pool cannot wait for the pool to be idle.");
        }

        var start = TimeProvider.System.GetTimestamp();
        for (var attempts = 0; !IsIdle(); attempts++)
        {
            if (TimeProvider.System.GetElapsedTime(start) > Poll.Timeout)
            {
                throw new InvalidOperationException($"The thread pool did not become idle: {BusyThreads} threads busy, {ThreadPool.PendingWorkItemCount} items queued.");
            }

            if (attempts < 20)
            {
                Thread.Yield();
            }
            else
            {
                cancelled.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(1));
            }

            cancelled.ThrowIfCancellationRequested();
        }
    }

    private static int BusyThreads
    {
        get
        {
            ThreadPool.GetMaxThreads(out var all, out _);
            ThreadPool.GetAvailableThreads(out var available, out _);
            return all - available;
        }
    }

    /// <summary>Checks twice, without a completed item between: an item can move from the queue to a thread between two reads.</summary>
    private static bool IsIdle()
    {
        var completed = ThreadPool.CompletedWorkItemCount;
        return IsIdleNow() && IsIdleNow() && ThreadPool.CompletedWorkItemCount == completed;
    }

    private static bool IsIdleNow() => ThreadPool.PendingWorkItemCount == 0 && BusyThreads == 0;
}
