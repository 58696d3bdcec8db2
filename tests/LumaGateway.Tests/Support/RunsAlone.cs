namespace LumaGateway.Tests.Support;

/// <summary>
/// Tests that run one after the other, while no other test runs: they wait until the process is idle (see <see cref="TestClock"/>), or measure the process.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class RunsAlone
{
    public const string Name = nameof(RunsAlone);

    /// <summary>Fails a test that is not in this collection.</summary>
    internal static void Check()
    {
        if (TestContext.Current.TestCollection?.TestCollectionDisplayName is not Name)
        {
            throw new InvalidOperationException($"Only a test of [Collection({nameof(RunsAlone)}.{nameof(Name)})] can use this, because other tests run concurrently.");
        }
    }
}
