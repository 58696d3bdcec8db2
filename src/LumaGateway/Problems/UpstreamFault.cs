namespace LumaGateway.Problems;

/// <summary>All the ways in which asking an upstream can end without an answer. The set is closed: it is a metric's attribute.</summary>
public enum UpstreamFault
{
    /// <summary>No connection, or one that broke off.</summary>
    Unreachable,

    /// <summary>The upstream answered 5xx: it failed, and may work the next time.</summary>
    Failed,

    /// <summary>The upstream refused the request in a way that asking again does not mend.</summary>
    Rejected,

    /// <summary>The answer is not one the dialect can accept: no JSON, too large, too deep, another id.</summary>
    Malformed,

    /// <summary>The upstream does not know the id. An answer, not a fault of the road.</summary>
    NotFound,

    /// <summary>The gateway's own token was refused (401, 403).</summary>
    TokenRefused,

    /// <summary>The gateway's own account is out of credit (402).</summary>
    OutOfCredit,

    /// <summary>The upstream asks to be left alone for a while (429, or 503 with <c>Retry-After</c>).</summary>
    Throttled,

    /// <summary>The circuit breaker is open: the upstream was not asked.</summary>
    CircuitOpen,

    /// <summary>The gateway's own limit on upstream calls is reached.</summary>
    Saturated,

    /// <summary>The gateway's deadline passed.</summary>
    TimedOut,
}
