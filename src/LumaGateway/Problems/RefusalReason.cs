namespace LumaGateway.Problems;

/// <summary>Why a request was not let in. The set is closed: it is what the audit calls the reason.</summary>
internal enum RefusalReason
{
    /// <summary>No key and no token, and none may come in without.</summary>
    NoCredential,

    /// <summary>A key that is no client's.</summary>
    UnknownKey,

    /// <summary>A JWT that the configured issuer did not make, that is not for this gateway, or that is not valid now.</summary>
    InvalidToken,

    /// <summary>A JWT of more than <c>Access:Jwt:MaxTokenBytes</c>.</summary>
    TokenTooLarge,

    /// <summary>A JWT that cannot be checked, as the issuer's keys cannot be fetched.</summary>
    IssuerUnavailable,

    /// <summary>A client without the right that the route asks for.</summary>
    MissingRight,

    /// <summary>A client over its requests a second.</summary>
    TooManyASecond,

    /// <summary>A client with too many requests under way.</summary>
    TooManyAtOnce,
}
