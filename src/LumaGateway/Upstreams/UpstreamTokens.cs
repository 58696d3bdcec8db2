using LumaGateway.Configuration;

namespace LumaGateway.Upstreams;

/// <summary>
/// One upstream token, or two while rotating: the first is sent, the second is tried once where the first is refused, and sent first from then
/// on where it was good. Thread-safe. Has no text form, so that no log or exception can hold it by accident.
/// </summary>
internal sealed class UpstreamTokens
{
    private static readonly char[] Separators = [',', '\n', '\r'];

    private volatile bool _isSecondPreferred;

    private UpstreamTokens(string first, string? second) => (First, Second) = (first, second);

    public string First { get; }

    public string? Second { get; }

    /// <summary>Null where the text holds no token, more than two, or anything that does not fit a header.</summary>
    public static UpstreamTokens? Parse(string text)
    {
        var tokens = text.Split(Separators, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

        return tokens.Length is 1 or 2 && tokens.All(token => token.All(c => c is > ' ' and <= '~'))
            ? new UpstreamTokens(tokens[0], tokens.ElementAtOrDefault(1))
            : null;
    }

    /// <summary>Both, the one known to be good first.</summary>
    public (string Preferred, string Other) InOrder() => _isSecondPreferred ? (Second!, First) : (First, Second!);

    public void Prefer(string token) => _isSecondPreferred = token == Second;

    /// <summary>Null where the file is missing, unreadable, over 16 KiB, or holds no token.</summary>
    public static UpstreamTokens? ReadFile(string path) => SecretFile.ReadText(path) is { } text ? Parse(text) : null;

    public bool SameAs(UpstreamTokens other) => First == other.First && Second == other.Second;

    /// <inheritdoc/>
    public override string ToString() => "***";
}
