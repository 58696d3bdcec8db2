using LumaGateway.Hosting;
using LumaGateway.Tests.Caching;

namespace LumaGateway.Tests.Hosting;

/// <summary>Requests that move to the thread pool. Needs nothing.</summary>
public sealed class RequestQueueTests
{
    private readonly RequestQueue _requests = new();

    [Fact]
    public async Task Every_request_continues_once_and_on_the_thread_pool()
    {
        const int ThreadCount = 4;
        const int Count = 2000;
        var (continued, elsewhere) = (0, 0);
        var threads = Enumerable.Range(0, ThreadCount).Select(thread => new Thread(() =>
        {
            for (var index = 0; index < Count; index++)
            {
                _ = ContinueAsync(() =>
                {
                    Interlocked.Increment(ref continued);
                    Interlocked.Add(ref elsewhere, Thread.CurrentThread.IsThreadPoolThread ? 0 : 1);
                });
            }
        })).ToList();

        threads.ForEach(static thread => thread.Start());
        threads.ForEach(static thread => thread.Join());

        await Eventually.TrueAsync(() => Volatile.Read(ref continued) >= ThreadCount * Count);
        Assert.Equal((ThreadCount * Count, 0), (continued, elsewhere));
    }

    [Fact]
    public async Task A_request_that_occupies_its_thread_does_not_hold_up_those_that_arrived_with_it()
    {
        const int Count = 8;
        for (var round = 0; round < 50; round++)
        {
            using var othersContinued = new ManualResetEventSlim();
            var continued = 0;
            var requests = Enumerable.Range(0, Count).Select(_ => ContinueAsync(() =>
            {
                switch (Interlocked.Increment(ref continued))
                {
                    case 1:
                        othersContinued.Wait(TestContext.Current.CancellationToken);
                        break;
                    case Count:
                        othersContinued.Set();
                        break;
                }
            })).ToList();

            await Task.WhenAll(requests).WithTimeout();
        }
    }

    [Fact]
    public async Task A_request_that_arrives_while_another_one_occupies_its_thread_continues()
    {
        using var released = new ManualResetEventSlim();
        using var occupied = new ManualResetEventSlim();
        var first = ContinueAsync(() =>
        {
            occupied.Set();
            released.Wait();
        });
        occupied.Wait(TestContext.Current.CancellationToken);

        await ContinueAsync(static () => { }).WithTimeout();

        Assert.False(first.IsCompleted);
        released.Set();
        await first.WithTimeout();
    }

    private async Task ContinueAsync(Action then)
    {
        await _requests;
        then();
    }
}
