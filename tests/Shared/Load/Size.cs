namespace LumaGateway.Tests.Shared.Load;

/// <summary>How long the long tests run: short in CI, in full where <c>SYSTEM_TESTS=full</c>. What they assert is the same.</summary>
internal static class Size
{
    private static readonly bool IsFull = Environment.GetEnvironmentVariable("SYSTEM_TESTS") == "full";

    public static int Count(int inCi, int inFull) => IsFull ? inFull : inCi;

    public static TimeSpan Seconds(int inCi, int inFull) => TimeSpan.FromSeconds(IsFull ? inFull : inCi);
}
