namespace LumaGateway.SystemTests.Waiting;

/// <summary>Starts many waiters.</summary>
internal static class Waiters
{
    private const int ConnectionBatch = 100;

    public static async Task<List<Waiter>> ConnectAsync(int count, Func<int, (Uri Replica, string Path, string? Prefer)> caller)
    {
        var waiters = new List<Waiter>(count);
        foreach (var batch in Enumerable.Range(0, count).Chunk(ConnectionBatch))
        {
            waiters.AddRange(await Task.WhenAll(batch.Select(i =>
            {
                var (replica, path, prefer) = caller(i);
                return Waiter.ConnectAsync(replica, path, prefer);
            })));
        }

        return waiters;
    }

    /// <summary>Every waiter gets the state in time.</summary>
    public static async Task AssertReceivedAsync(IReadOnlyCollection<Waiter> waiters, string state)
    {
        Assert.NotEmpty(waiters);
        var received = Task.WhenAll(waiters.Select(waiter => waiter.UntilAsync(state)));
        Assert.All(await received.WaitAsync(Wait.Timeout, TimeProvider.System, TestContext.Current.CancellationToken), at => Assert.NotNull(at));
    }
}
