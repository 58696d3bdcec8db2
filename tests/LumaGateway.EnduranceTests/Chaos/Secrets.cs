namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>The secrets of a run, with a text that is easy to find.</summary>
internal static class Secrets
{
    private const string Canary = "CANARYupstreamtoken";

    public static string Token(int number) => $"{Canary}{number:0000}";

    /// <summary><c>Cache:SigningKey</c>.</summary>
    public static string SigningKey => $"{Canary}-signing-key-0123456789abcdef";

    public static bool AreIn(string text) =>
        text.Contains(Canary, StringComparison.Ordinal) || text.Contains(GatewayProcess.ClientKey, StringComparison.Ordinal);
}
