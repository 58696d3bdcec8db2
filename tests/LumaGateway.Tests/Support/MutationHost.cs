using System.Diagnostics;

[assembly: AssemblyFixture(typeof(LumaGateway.Tests.Support.MutationHost))]

namespace LumaGateway.Tests.Support;

/// <summary>
/// Runs every mutant of <c>tests/mutate</c> in its own process; has no effect in other test runs. Stryker changes the active mutant in a file while the process keeps
/// running, so a static field that one mutant set would affect the next.
/// </summary>
public sealed class MutationHost
{
    private static readonly string? MutantFile = Environment.GetEnvironmentVariable("STRYKER_MUTANT_FILE");

    private static readonly int FirstMutant = ActiveMutant();

    // Created at the start of every run, before any test. If the process ends, Stryker repeats the run once in a new process.
    public MutationHost()
    {
        if (ActiveMutant() != FirstMutant)
        {
            Process.GetCurrentProcess().Kill();
        }
    }

    private static int ActiveMutant()
    {
        if (MutantFile is null)
        {
            return -1;
        }

        Span<byte> id = stackalloc byte[sizeof(int)];
        using var file = new FileStream(MutantFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        file.ReadExactly(id);
        return BitConverter.ToInt32(id);
    }
}
