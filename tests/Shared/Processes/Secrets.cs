namespace LumaGateway.Tests.Shared.Processes;

/// <summary>What a gateway was told, or is sent by callers, and must never tell: tokens, the client's key, the Redis password, the signing key.</summary>
internal sealed class Secrets
{
    /// <summary>Shorter ones stand in innocent words.</summary>
    private const int ShortestLength = 8;
    private const string Password = "password=";

    private readonly HashSet<string> _all;

    private Secrets(IEnumerable<string?> secrets) => _all = [.. secrets.OfType<string>().Where(secret => secret.Length >= ShortestLength)];

    public static Secrets Of(IReadOnlyDictionary<string, string> settings)
    {
        var tokens = settings.TryGetValue("Luma:ApiKeyFile", out var file) ? File.ReadAllText(file) : settings.GetValueOrDefault("Luma:ApiKey", string.Empty);
        var redis = settings.GetValueOrDefault("ConnectionStrings:Redis", string.Empty)
            .Split(',')
            .Where(part => part.StartsWith(Password, StringComparison.Ordinal))
            .Select(part => part[Password.Length..]);
        return new Secrets([.. tokens.Split([',', '\n'], StringSplitOptions.TrimEntries), .. redis, settings.GetValueOrDefault("Cache:SigningKey"), GatewayProcess.ClientKey]);
    }

    public void AssertNotIn(string output)
    {
        var found = output.Split('\n').FirstOrDefault(line => _all.Any(secret => line.Contains(secret, StringComparison.OrdinalIgnoreCase)));
        Assert.True(found is null, $"The gateway wrote a secret: {found}");
    }
}
