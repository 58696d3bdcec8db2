namespace LumaGateway.Tests.Support;

/// <summary>
/// The tests that run while no other test does, one after the other: because they wait for the whole process to be idle, see <see cref="TestClock"/>,
/// or because they measure what the process does.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class RunsAlone
{
    public const string Name = nameof(RunsAlone);

    /// <summary>Fails a test that is not among them.</summary>
    internal static void Check()
    {
        if (TestContext.Current.TestCollection?.TestCollectionDisplayName is not Name)
        {
            throw new InvalidOperationException($"Only a test of [Collection({nameof(RunsAlone)}.{nameof(Name)})] can do this: others run beside this one.");
        }
    }
}
