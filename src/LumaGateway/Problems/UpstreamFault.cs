namespace LumaGateway.Problems;

/// <summary>The ways in which an upstream request can fail. The values appear, in snake_case, as an attribute of metrics.</summary>
public enum UpstreamFault
{
    /// <summary>No connection, or a connection that was lost.</summary>
    Unreachable,

    /// <summary>The upstream returned 5xx. A retry may succeed.</summary>
    Failed,

    /// <summary>The upstream rejected the request. A retry does not help.</summary>
    Rejected,

    /// <summary>The dialect cannot read the response: no JSON, too large, too deep, or another id.</summary>
    Malformed,

    /// <summary>The upstream does not know the id.</summary>
    NotFound,

    /// <summary>The upstream rejected the gateway's token (401, 403).</summary>
    TokenRefused,

    /// <summary>The gateway's account is out of credit (402).</summary>
    OutOfCredit,

    /// <summary>The upstream throttles the gateway (429, or 503 with <c>Retry-After</c>).</summary>
    Throttled,

    /// <summary>The circuit breaker is open: no request was sent.</summary>
    CircuitOpen,

    /// <summary>The gateway's limit of concurrent upstream requests is reached.</summary>
    Saturated,

    /// <summary>The gateway's deadline passed without a response.</summary>
    TimedOut,
}
