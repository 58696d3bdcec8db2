namespace LumaGateway.Tests.Support;

/// <summary>Waits until the thread pool of this process is idle: nothing is queued and nothing runs. Scheduling by the machine plays no part in it.</summary>
internal static class ThreadPoolRest
{
    /// <summary>Blocks the calling thread, which must not be one of the pool. Fails where something blocks a thread of the pool for good.</summary>
    public static void Await(CancellationToken cancelled)
    {
        if (Thread.CurrentThread.IsThreadPoolThread)
        {
            throw new InvalidOperationException("A thread of the pool cannot wait for the pool to be idle.");
        }

        var begun = TimeProvider.System.GetTimestamp();
        for (var looks = 0; !IsIdle(); looks++)
        {
            if (TimeProvider.System.GetElapsedTime(begun) > Pump.Patience)
            {
                throw new InvalidOperationException($"The thread pool did not become idle: {BusyThreads} threads busy, {ThreadPool.PendingWorkItemCount} items queued.");
            }

            if (looks < 20)
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

    /// <summary>Twice, with no item done between: an item may pass from the queue to a thread between two looks.</summary>
    private static bool IsIdle()
    {
        var done = ThreadPool.CompletedWorkItemCount;
        return IsIdleNow() && IsIdleNow() && ThreadPool.CompletedWorkItemCount == done;
    }

    private static bool IsIdleNow() => ThreadPool.PendingWorkItemCount == 0 && BusyThreads == 0;
}
