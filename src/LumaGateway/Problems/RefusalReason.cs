namespace LumaGateway.Problems;

/// <summary>Why a request was refused. The values appear in the audit events and, in snake_case, as an attribute of metrics.</summary>
internal enum RefusalReason
{
    /// <summary>The request has no credential, and anonymous requests are not allowed.</summary>
    NoCredential,

    /// <summary>The key belongs to no client.</summary>
    UnknownKey,

    /// <summary>The JWT has a wrong issuer, audience, lifetime or signature, or is malformed.</summary>
    InvalidToken,

    /// <summary>The JWT is longer than <c>Access:Jwt:MaxTokenBytes</c>.</summary>
    TokenTooLarge,

    /// <summary>The ticket is malformed, expired, of another generation, or of a client that is no longer in the settings.</summary>
    InvalidTicket,

    /// <summary>The JWT cannot be validated, because the issuer's keys cannot be fetched.</summary>
    IssuerUnavailable,

    /// <summary>The client does not have the permission that the route requires.</summary>
    MissingPermission,

    /// <summary>The client exceeds its requests per second.</summary>
    RateLimit,

    /// <summary>The client exceeds its concurrent requests or waiters.</summary>
    ConcurrencyLimit,
}
