using System.Diagnostics;

namespace LumaGateway.Tests.Shared.Load;

/// <summary>
/// Until it is disposed of, whatever is to be done on this process's thread pool waits its turn behind a few hundred callers, as in a gateway
/// that a herd runs down. Timers do not wait: they have priority.
/// </summary>
internal sealed class BusyThreadPool : IDisposable
{
    private const int Callers = 400;

    private volatile bool _isOver;

    public BusyThreadPool()
    {
        for (var i = 0; i < Callers; i++)
        {
            Queue();
        }
    }

    public void Dispose() => _isOver = true;

    private void Queue() => ThreadPool.UnsafeQueueUserWorkItem(static pool => pool.Work(), this, preferLocal: false);

    private void Work()
    {
        var begun = Stopwatch.GetTimestamp();
        while (!_isOver && Stopwatch.GetElapsedTime(begun) < TimeSpan.FromMilliseconds(1))
        {
            Thread.SpinWait(100);
        }

        if (!_isOver)
        {
            Queue();
        }
    }
}
