using LumaGateway.Tests.Caching;

namespace LumaGateway.Tests.Redis;

/// <summary>A step of the product that waits until the test releases it.</summary>
internal sealed class HeldStep
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new();

    /// <summary>Waits until the product reaches the step.</summary>
    public Task ReachedAsync() => _reached.Task.WithTimeout();

    public bool IsReached => _reached.Task.IsCompleted;

    /// <summary>Releases the step. Its continuation runs on this thread until it first waits.</summary>
    public void Release() => _released.TrySetResult();

    /// <summary>Makes the step fail.</summary>
    public void Fail(Exception exception) => _released.TrySetException(exception);

    /// <summary>Called at the step: reports that it is reached and waits for its release.</summary>
    public Task HoldAsync()
    {
        _reached.TrySetResult();
        return _released.Task;
    }
}
