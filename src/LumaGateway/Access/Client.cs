namespace LumaGateway.Access;

/// <summary>Who is asking.</summary>
/// <param name="Name">Its name in logs; never its key.</param>
/// <param name="Rights">What it may do.</param>
/// <param name="ClientLimiter">How much; one for all requests of that name.</param>
internal sealed record Client(string Name, Rights Rights, ClientLimiter ClientLimiter)
{
    /// <summary>The name that all callers without a credential share, and with it one allowance.</summary>
    public const string AnonymousName = "anonymous";

    /// <summary>What logs and metrics call whoever could not be identified.</summary>
    public const string UnknownName = "unknown";

    /// <summary>
    /// Begins the name of every client known from a JWT. Names in the settings hold no colon, so that no token can name a client of a key: limits, idempotency
    /// keys and logs tell the two apart.
    /// </summary>
    public const string JwtPrefix = "jwt:";

    public bool May(Rights asked) => (Rights & asked) == asked;
}
