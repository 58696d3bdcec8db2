namespace LumaGateway.Access;

/// <summary>Who is asking.</summary>
/// <param name="Name">Its name in logs; never its key.</param>
/// <param name="Rights">What it may do.</param>
/// <param name="Allowance">How much; one for all requests of that name.</param>
internal sealed record Client(string Name, Rights Rights, Allowance Allowance)
{
    /// <summary>The name that all callers without a credential share, and with it one allowance.</summary>
    public const string AnonymousName = "anonymous";

    /// <summary>What logs and metrics call whoever could not be identified.</summary>
    public const string UnknownName = "unknown";

    public bool May(Rights asked) => (Rights & asked) == asked;
}
