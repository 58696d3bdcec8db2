using System.Diagnostics;

[assembly: AssemblyFixture(typeof(LumaGateway.Tests.Support.MutationHost))]

namespace LumaGateway.Tests.Support;

/// <summary>
/// Gives every mutant of <c>tests/mutate</c> a process of its own; does nothing in any other test run. Stryker switches mutants by a
/// file while the process keeps running. A static field that was set under one mutant would then decide the result of the next.
/// </summary>
public sealed class MutationHost
{
    private static readonly string? MutantFile = Environment.GetEnvironmentVariable("STRYKER_MUTANT_FILE");

    private static readonly int FirstMutant = ActiveMutant();

    // Made at the start of every run, before any test. Stryker repeats a run that loses its process once, in a new process.
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
