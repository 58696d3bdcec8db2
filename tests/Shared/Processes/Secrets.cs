namespace LumaGateway.Tests.Shared.Processes;

/// <summary>The secrets in a gateway's settings and requests: tokens, the client's key, the Redis password, the signing key.</summary>
internal sealed class Secrets
{
    /// <summary>Shorter secrets could be part of normal text.</summary>
    private const int MinLength = 8;
    private const string Password = "password=";

    private readonly HashSet<string> _all;

    private Secrets(IEnumerable<string?> secrets) => _all = [.. secrets.OfType<string>().Where(secret => secret.Length >= MinLength)];

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
