namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Faults of all kinds at the same time. The default run is short; <c>tests/endurance chaos --minutes 30</c> is a long one.</summary>
[TestClass(DisableParallelization = true)]
public sealed class ChaosTests(ITestOutputHelper output)
{
    [Fact]
    public async Task The_invariants_hold_under_concurrent_faults_and_the_system_recovers()
    {
        RedisServer.Require();

        var violated = await new ChaosRun(ChaosOptions.FromEnvironment(), output.WriteLine, TimeProvider.System).RunAsync();

        Assert.Empty(violated);
    }
}
