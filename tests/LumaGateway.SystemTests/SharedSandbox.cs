namespace LumaGateway.SystemTests;

/// <summary>
/// One sandbox for all tests that only add faults to their own ids and do not reset counts. The first use starts it. Thread-safe.
/// </summary>
public sealed class SharedSandbox : IAsyncDisposable
{
    private readonly Lazy<Task<SandboxProcess>> _sandbox = new(() => SandboxProcess.StartAsync());

    internal Task<SandboxProcess> GetAsync() => _sandbox.Value;

    public async ValueTask DisposeAsync()
    {
        if (_sandbox.IsValueCreated)
        {
            await (await _sandbox.Value).DisposeAsync();
        }
    }
}
