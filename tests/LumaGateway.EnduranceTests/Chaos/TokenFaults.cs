
namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Rotates the upstream's token as an operator would: both are in the file before the upstream takes the new one alone.</summary>
internal sealed class TokenFaults(ChaosSystem system)
{
    private int _number;

    /// <summary>The token that the upstream takes now.</summary>
    public string Current => Secrets.Token(Volatile.Read(ref _number));

    public async Task SetTokenAsync(PlannedFault fault)
    {
        var (old, next) = (Current, Secrets.Token(_number + 1));
        await system.WriteTokensAsync(old, next);
        await Wait.ForAsync(fault.For / 2);
        await system.Sandbox.SetTokenAsync(next);
        Interlocked.Increment(ref _number);
        await Wait.ForAsync(fault.For / 2);
        await system.WriteTokensAsync(next);
    }
}
