using System.Diagnostics;

namespace LumaGateway.Tests.Shared.Load;

/// <summary>
/// Keeps the thread pool of this process busy until disposal: work items queue behind a few hundred others, as in an overloaded gateway. Timers are not delayed,
/// because they have priority.
/// </summary>
internal sealed class BusyThreadPool : IDisposable
{
    private const int WorkItems = 400;

    private volatile bool _isDisposed;

    public BusyThreadPool()
    {
        for (var i = 0; i < WorkItems; i++)
        {
            Queue();
        }
    }

    public void Dispose() => _isDisposed = true;

    private void Queue() => ThreadPool.UnsafeQueueUserWorkItem(static pool => pool.Work(), this, preferLocal: false);

    private void Work()
    {
        var start = Stopwatch.GetTimestamp();
        while (!_isDisposed && Stopwatch.GetElapsedTime(start) < TimeSpan.FromMilliseconds(1))
        {
            Thread.SpinWait(100);
        }

        if (!_isDisposed)
        {
            Queue();
        }
    }
}
