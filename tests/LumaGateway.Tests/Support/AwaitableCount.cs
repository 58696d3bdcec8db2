namespace LumaGateway.Tests.Support;

/// <summary>A counter that tests can wait for. Thread-safe.</summary>
internal sealed class AwaitableCount
{
    private readonly Lock _lock = new();
    private readonly List<(int Minimum, TaskCompletionSource Reached)> _waiting = [];
    private int _value;

    public int Value => Volatile.Read(ref _value);

    public void Increment()
    {
        lock (_lock)
        {
            _value++;
            foreach (var (_, reached) in _waiting.Where(waiter => waiter.Minimum <= _value))
            {
                reached.TrySetResult();
            }

            _waiting.RemoveAll(waiter => waiter.Minimum <= _value);
        }
    }

    /// <summary>Waits until the count is at least <paramref name="minimum"/>; fails after <see cref="Poll.Timeout"/> of real time.</summary>
    public async Task ReachAsync(int minimum)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_value >= minimum)
            {
                return;
            }

            _waiting.Add((minimum, reached));
        }

        try
        {
            await reached.Task.WaitAsync(Poll.Timeout, TimeProvider.System, TestContext.Current.CancellationToken);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"The count is {Value}, not {minimum}, after {Poll.Timeout}.");
        }
    }
}
