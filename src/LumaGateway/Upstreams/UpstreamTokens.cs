using LumaGateway.Configuration;

namespace LumaGateway.Upstreams;

/// <summary>
/// One upstream token, or two during a rotation. The preferred token is sent first; if the upstream rejects it and accepts the other, the other becomes
/// the preferred one. Thread-safe. <see cref="ToString"/> hides the tokens, so that no log message or exception contains them by accident.
/// </summary>
internal sealed class UpstreamTokens
{
    private volatile bool _prefersSecondary;

    private UpstreamTokens(string primary, string? secondary) => (Primary, Secondary) = (primary, secondary);

    public string Primary { get; }

    public string? Secondary { get; }

    /// <summary>Returns null if the text contains no token, more than two, or characters that a header cannot contain.</summary>
    public static UpstreamTokens? Parse(string text) =>
        SecretFile.Split(text, static token => token.All(c => c is > ' ' and <= '~')) is { } tokens ? new UpstreamTokens(tokens[0], tokens.ElementAtOrDefault(1)) : null;

    /// <summary>Both tokens. Requires a secondary token.</summary>
    public (string Preferred, string Other) InPreferredOrder() => _prefersSecondary ? (Secondary!, Primary) : (Primary, Secondary!);

    public void Prefer(string token) => _prefersSecondary = token == Secondary;

    /// <summary>Returns null if the file is missing, unreadable, larger than 16 KiB, or has no valid content.</summary>
    public static UpstreamTokens? ReadFile(string path) => SecretFile.Read(path, Parse);

    public bool HasSameTokens(UpstreamTokens other) => Primary == other.Primary && Secondary == other.Secondary;

    /// <inheritdoc/>
    public override string ToString() => "***";
}
