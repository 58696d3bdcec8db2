namespace LumaGateway.Access;

/// <summary>Clients and their credentials. Bound to <c>Access</c>.</summary>
internal sealed class AccessOptions
{
    public const string Section = "Access";

    /// <summary>Clients that authenticate with a key.</summary>
    public IList<ClientOptions> Clients { get; init; } = [];

    /// <summary>Whether requests without a credential are allowed, with the permissions <c>read</c> and <c>assets</c>. Together they are one client, <c>anonymous</c>.</summary>
    public bool AllowAnonymous { get; set; }

    /// <summary>Who may see a generation: <c>Off</c>: every client; <c>Group</c>: the group of the client that created it, and clients with the permission <c>read-all</c>. Read once, at start-up.</summary>
    public OwnershipMode Ownership { get; set; }

    /// <summary>An issuer whose JWTs are accepted.</summary>
    public JwtOptions Jwt { get; init; } = new();
}

/// <summary>A client that authenticates with a key.</summary>
internal sealed class ClientOptions
{
    /// <summary>The client's name in logs and metrics: 1 to 64 characters of <c>A-Z a-z 0-9 . _ -</c>.</summary>
    public string Name { get; set => field = value ?? ""; } = "";

    /// <summary>The SHA-256 of the client's key in lower-case hex; two of them, separated by a comma, while the key is rotated.</summary>
    public string KeySha256 { get; set => field = value ?? ""; } = "";

    /// <summary>The client's permissions: <c>read</c>, <c>raw</c>, <c>create</c>, <c>delete</c>, <c>assets</c>, <c>purge</c>, <c>read-all</c>. Without any: <c>read</c> and <c>assets</c>.</summary>
    public IList<string> Rights { get; init; } = [];

    /// <summary>The upstream account of the client's creates and of its requests under <c>/luma</c>, one of <c>Luma:Accounts</c>. Empty: all accounts.</summary>
    public string Account { get; set => field = value ?? ""; } = "";

    /// <summary>The clients of one group see each other's generations, with <see cref="AccessOptions.Ownership"/> <c>Group</c>. 1 to 128 characters of <c>A-Z a-z 0-9 . _ @ : / | -</c>. Empty: the client's name.</summary>
    public string Group { get; set => field = value ?? ""; } = "";

    /// <summary>Limits that override <see cref="LimitsOptions"/>.</summary>
    public ClientLimitsOptions Limits { get; init; } = new();

    public IEnumerable<string> Digests => KeySha256.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
