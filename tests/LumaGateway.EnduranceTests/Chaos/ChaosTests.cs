
namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Everything goes wrong at once. Short every day; <c>tests/endurance chaos --minutes 30</c> by hand.</summary>
[TestClass(DisableParallelization = true)]
public sealed class ChaosTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Whatever_goes_wrong_at_once_the_invariants_hold_and_all_is_well_again_soon()
    {
        RedisServer.Require();

        var broken = await new ChaosRun(ChaosOptions.FromEnvironment(), output.WriteLine, TimeProvider.System).RunAsync();

        Assert.Empty(broken);
    }
}
