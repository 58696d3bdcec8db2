using System.Text.RegularExpressions;

namespace LumaGateway.Access;

/// <summary>An authenticated client, or the anonymous client.</summary>
/// <param name="Name">Its name in logs and metrics.</param>
/// <param name="Permissions">Its permissions.</param>
/// <param name="ClientLimiter">The limiter that all requests of this name share.</param>
internal sealed partial record Client(string Name, Permissions Permissions, ClientLimiter ClientLimiter)
{
    /// <summary>The upstream account of the client's creates and of its requests under <c>/luma</c>; null if it may use all of them.</summary>
    public string? Account { get; init; }

    /// <summary>The name of all requests without a credential; they share one limiter.</summary>
    public const string AnonymousName = "anonymous";

    /// <summary>The name in logs and metrics of a client that could not be authenticated.</summary>
    public const string UnknownName = "unknown";

    /// <summary>
    /// The prefix of every client name from a JWT. Names in the settings contain no colon, so a token cannot have the name of a client with a key: the two have
    /// separate limits and idempotency keys.
    /// </summary>
    public const string JwtPrefix = "jwt:";

    /// <summary>Returns the name of the client of a request; null if its route is public.</summary>
    public static string? NameOf(HttpContext context) =>
        RateLimitLease.Of(context)?.Client.Name ?? context.Features.Get<AccessRefusal>()?.Client ?? context.Features.Get<Client>()?.Name;

    /// <summary>The group whose jobs the client may see, with <c>Access:Ownership</c> <c>Group</c>.</summary>
    public string Group { get; init; } = Name;

    /// <summary>Whether the text can be the name of a group, or of a client of a JWT.</summary>
    public static bool IsGroup(string name) => GroupPattern().IsMatch(name);

    /// <summary>
    /// Whether the claim of a token may name this group. It may not name the group of callers without a credential, nor that of a token without a claim, which is its client
    /// name.
    /// </summary>
    public static bool IsGroupOfToken(string name) => IsGroup(name) && name != AnonymousName && !name.StartsWith(JwtPrefix, StringComparison.Ordinal);

    public bool Has(Permissions permissions) => (Permissions & permissions) == permissions;

    [GeneratedRegex(@"\A[A-Za-z0-9._@:/|-]{1,128}\z")]
    private static partial Regex GroupPattern();
}
