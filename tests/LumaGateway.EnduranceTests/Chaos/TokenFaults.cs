namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Rotates the upstream's token. The file has both tokens before the upstream accepts only the new one.</summary>
internal sealed class TokenFaults(ChaosSystem system)
{
    private int _number;

    /// <summary>The token that the upstream accepts now.</summary>
    public string Current => Secrets.Token(Volatile.Read(ref _number));

    public async Task SetTokenAsync(PlannedFault fault)
    {
        var (old, next) = (Current, Secrets.Token(_number + 1));
        await system.WriteTokensAsync(old, next);
        await Wait.ForAsync(fault.Duration / 2);
        await system.Sandbox.SetTokenAsync(next);
        Interlocked.Increment(ref _number);
        await Wait.ForAsync(fault.Duration / 2);
        await system.WriteTokensAsync(next);
    }
}
