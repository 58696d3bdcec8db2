using LumaGateway.Tests.Caching;

namespace LumaGateway.Tests.Redis;

/// <summary>A step that goes no further than here until the test says so.</summary>
internal sealed class HeldStep
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new();

    /// <summary>Waits until the step has been reached.</summary>
    public Task ReachedAsync() => _reached.Task.WithTimeout();

    public bool IsReached => _reached.Task.IsCompleted;

    /// <summary>Lets the step go on. What follows runs on this thread as far as it goes without waiting.</summary>
    public void Release() => _released.TrySetResult();

    /// <summary>Makes the step fail.</summary>
    public void Fail(Exception exception) => _released.TrySetException(exception);

    /// <summary>The step comes by here.</summary>
    public Task HoldAsync()
    {
        _reached.TrySetResult();
        return _released.Task;
    }
}
