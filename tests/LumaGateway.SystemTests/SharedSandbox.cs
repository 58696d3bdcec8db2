namespace LumaGateway.SystemTests;

/// <summary>
/// One sandbox for all tests that break nothing but their own ids and forget no counts, started when the first one asks for it. Thread-safe.
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
