using LumaGateway.Contracts;

namespace LumaGateway.Problems;

/// <summary>The one table of everything that the gateway refuses. Every problem it writes is a row of it.</summary>
internal static class ProblemKinds
{
    public static readonly ProblemKind InvalidId = new("invalid_id", 400, "Malformed id", GenerationId.Rule);
    public static readonly ProblemKind InvalidRequest = new("invalid_request", 400, "Malformed request", "The request could not be understood.");
    public static readonly ProblemKind Unauthenticated = new("unauthenticated", 401, "No valid client key", "Send a client key as 'Authorization: Bearer <key>' or 'X-Api-Key: <key>'.");
    public static readonly ProblemKind Forbidden = new("forbidden", 403, "Not allowed", "This client lacks the right that the route asks for.");
    public static readonly ProblemKind NotFound = new("not_found", 404, "No such route", "There is nothing at this path.");
    public static readonly ProblemKind GenerationNotFound = new("generation_not_found", 404, "No such generation", "The upstream does not know this id.");
    public static readonly ProblemKind AssetNotFound = new("asset_not_found", 404, "No such asset", "The generation is finished and has no asset of this kind.");
    public static readonly ProblemKind MethodNotAllowed = new("method_not_allowed", 405, "Method not allowed", "This route does not take this method; the Allow header says which it takes.");
    public static readonly ProblemKind GenerationUnfinished = new("generation_unfinished", 409, "Not finished yet", "The generation is still being made; Retry-After says when to look again.");
    public static readonly ProblemKind CreateInProgress = new("create_in_progress", 409, "Still running", "A create with this Idempotency-Key is still running; Retry-After says when to ask for its answer.");
    public static readonly ProblemKind OutcomeUnknown = new("outcome_unknown", 409, "Outcome unknown", "The create with this Idempotency-Key broke off: it may have been billed. It is never repeated; look for its generation, then use a new key.") { IsForOperators = true };
    public static readonly ProblemKind PreconditionFailed = new("precondition_failed", 412, "Precondition failed", "The asset is not, or no longer, the one that the request names.");
    public static readonly ProblemKind TooLarge = new("request_too_large", 413, "Request too large", "The request's body is larger than the gateway takes.");
    public static readonly ProblemKind RangeNotSatisfiable = new("range_not_satisfiable", 416, "No such range", "The asset has no such bytes; Content-Range says how many it has.");
    public static readonly ProblemKind IdempotencyKeyReused = new("idempotency_key_reused", 422, "Key used for another request", "This Idempotency-Key came with another body before. Use a new key for a new request.");
    public static readonly ProblemKind RateLimited = new("rate_limited", 429, "Too many requests", "This client is over its own limit; Retry-After says when to come back.");
    public static readonly ProblemKind Internal = new("internal_error", 500, "Internal error", "The gateway failed. The request id finds it in the logs.");
    public static readonly ProblemKind Unreachable = new("upstream_unreachable", 502, "Upstream unreachable", "The upstream could not be reached, or broke off.");
    public static readonly ProblemKind Failed = new("upstream_failed", 502, "Upstream failed", "The upstream answered with a failure of its own.");
    public static readonly ProblemKind Rejected = new("upstream_rejected", 502, "Upstream refused", "The upstream refused the request.");
    public static readonly ProblemKind Malformed = new("upstream_malformed", 502, "Upstream answer not understood", "The upstream's answer is not one that the gateway can accept.");
    public static readonly ProblemKind TokenRefused = new("upstream_token_refused", 502, "Upstream account refused", "The upstream refuses the gateway's own account. Its operators have been alarmed; asking again does not help.") { IsForOperators = true };
    public static readonly ProblemKind OutOfCredit = new("upstream_out_of_credit", 502, "Upstream account out of credit", "The gateway's own account is out of credit. Its operators have been alarmed; asking again does not help.") { IsForOperators = true };
    public static readonly ProblemKind AssetAddressRefused = new("asset_address_refused", 502, "Asset's address refused", "The asset's link, or one that it leads to, is at an address that the gateway does not fetch from.") { IsForOperators = true };
    public static readonly ProblemKind AssetUnavailable = new("asset_unavailable", 502, "Asset unavailable", "The asset could not be fetched, even with a new link.");
    public static readonly ProblemKind AssetNotMedia = new("asset_not_media", 502, "Not a video or image", "What the asset's link leads to is neither a video nor an image.");
    public static readonly ProblemKind Throttled = new("upstream_throttled", 503, "Upstream throttles", "The upstream asks to be left alone for a while; Retry-After says for how long.");
    public static readonly ProblemKind CircuitOpen = new("upstream_circuit_open", 503, "Upstream is failing", "The upstream kept failing and is left alone for a moment.");
    public static readonly ProblemKind Saturated = new("gateway_saturated", 503, "Gateway saturated", "Too many requests wait for the upstream already.");
    public static readonly ProblemKind CacheUnavailable = new("cache_unavailable", 503, "Shared cache away", "Redis did not confirm the purge: other replicas may serve the old answer until it does. The gateway repeats the purge.");
    public static readonly ProblemKind IdempotencyUnavailable = new("idempotency_unavailable", 503, "Idempotency keys away", "Redis did not confirm the Idempotency-Key, so nothing was sent to the upstream.");
    public static readonly ProblemKind IssuerUnavailable = new("issuer_unavailable", 503, "Token cannot be checked", "The keys of the token's issuer cannot be fetched, so the token cannot be checked; Retry-After says when to come back.");
    public static readonly ProblemKind TimedOut = new("upstream_timed_out", 504, "Upstream too slow", "The upstream did not answer within the gateway's deadline.");

    /// <summary>Every row, for the document and for tests.</summary>
    public static IReadOnlyList<ProblemKind> All { get; } =
    [
        InvalidId, InvalidRequest, Unauthenticated, Forbidden, NotFound, GenerationNotFound, AssetNotFound, MethodNotAllowed,
        GenerationUnfinished, CreateInProgress, OutcomeUnknown, PreconditionFailed, TooLarge, RangeNotSatisfiable, IdempotencyKeyReused, RateLimited, Internal,
        Unreachable, Failed, Rejected, Malformed, TokenRefused, OutOfCredit, AssetAddressRefused, AssetUnavailable, AssetNotMedia,
        Throttled, CircuitOpen, Saturated, CacheUnavailable, IdempotencyUnavailable, IssuerUnavailable, TimedOut,
    ];

    public static ProblemKind Of(UpstreamFault fault) => fault switch
    {
        UpstreamFault.Unreachable => Unreachable,
        UpstreamFault.Failed => Failed,
        UpstreamFault.Rejected => Rejected,
        UpstreamFault.Malformed => Malformed,
        UpstreamFault.NotFound => GenerationNotFound,
        UpstreamFault.TokenRefused => TokenRefused,
        UpstreamFault.OutOfCredit => OutOfCredit,
        UpstreamFault.Throttled => Throttled,
        UpstreamFault.CircuitOpen => CircuitOpen,
        UpstreamFault.Saturated => Saturated,
        UpstreamFault.TimedOut => TimedOut,
        _ => throw new ArgumentOutOfRangeException(nameof(fault)),
    };

    /// <summary>The row for a status that came without a kind: the framework's own refusals.</summary>
    public static ProblemKind Of(int status) => status switch
    {
        401 => Unauthenticated,
        403 => Forbidden,
        404 => NotFound,
        405 => MethodNotAllowed,
        413 => TooLarge,
        429 => RateLimited,
        503 => Saturated,
        >= 500 => Internal,
        _ => InvalidRequest,
    };
}
