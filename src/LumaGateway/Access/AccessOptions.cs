namespace LumaGateway.Access;

/// <summary>Who may come in. Bound to <c>Access</c>.</summary>
internal sealed class AccessOptions
{
    public const string Section = "Access";

    /// <summary>Internal clients, each with the digest of its key.</summary>
    public IList<ClientOptions> Clients { get; init; } = [];

    /// <summary>Lets callers in without a key, with <c>read</c> and <c>assets</c> only.</summary>
    public bool AllowAnonymous { get; set; }

    /// <summary>An issuer whose JWTs are accepted as well.</summary>
    public JwtOptions Jwt { get; init; } = new();
}

/// <summary>One internal client.</summary>
internal sealed class ClientOptions
{
    /// <summary>Its name in logs and metrics.</summary>
    public string Name { get; set; } = "";

    /// <summary>Lower-case hex SHA-256 of its key, or two separated by a comma while rotating.</summary>
    public string KeySha256 { get; set; } = "";

    /// <summary>Its rights; <c>read</c> and <c>assets</c> where none are named.</summary>
    public IList<string> Rights { get; init; } = [];

    /// <summary>Where its limits are not those of everybody.</summary>
    public ClientLimitsOptions Limits { get; init; } = new();

    public IEnumerable<string> Digests => KeySha256.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
