namespace LumaGateway.Tests.Support;

/// <summary>A count that only grows, and that can be waited for. Thread-safe.</summary>
internal sealed class AwaitableCount
{
    private readonly Lock _gate = new();
    private readonly List<(int Least, TaskCompletionSource Reached)> _waiting = [];
    private int _value;

    public int Value => Volatile.Read(ref _value);

    public void Increment()
    {
        lock (_gate)
        {
            _value++;
            foreach (var (_, reached) in _waiting.Where(one => one.Least <= _value))
            {
                reached.TrySetResult();
            }

            _waiting.RemoveAll(one => one.Least <= _value);
        }
    }

    /// <summary>Until the count is at least this; fails after <see cref="Pump.Patience"/> of real time.</summary>
    public async Task ReachAsync(int least)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_value >= least)
            {
                return;
            }

            _waiting.Add((least, reached));
        }

        try
        {
            await reached.Task.WaitAsync(Pump.Patience, TimeProvider.System, TestContext.Current.CancellationToken);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"The count stayed at {Value} instead of reaching {least} within {Pump.Patience}.");
        }
    }
}
