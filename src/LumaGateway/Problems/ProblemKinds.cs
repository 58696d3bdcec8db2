using LumaGateway.Contracts;

namespace LumaGateway.Problems;

/// <summary>The table of all problems that the gateway sends.</summary>
internal static class ProblemKinds
{
    public static readonly ProblemKind InvalidId = new("invalid_id", 400, "Malformed id", GenerationId.Rule);
    public static readonly ProblemKind InvalidRequest = new("invalid_request", 400, "Malformed request", "The request is malformed.");
    public static readonly ProblemKind UnknownAccount = new("unknown_account", 400, "Unknown account", "X-Luma-Account names no account that this client may use.");
    public static readonly ProblemKind Unauthenticated = new("unauthenticated", 401, "No valid credential", "Send a client key as 'Authorization: Bearer <key>' or 'X-Api-Key: <key>'.");
    public static readonly ProblemKind Forbidden = new("forbidden", 403, "Permission missing", "The route requires a permission that this client does not have.");
    public static readonly ProblemKind ListRefused = new("list_refused", 403, "List refused", "The upstream's list has the generations of all groups. Use GET /jobs.");
    public static readonly ProblemKind NotFound = new("not_found", 404, "No such route", "The gateway has no route with this path.");
    public static readonly ProblemKind GenerationNotFound = new("generation_not_found", 404, "No such generation", "There is no generation with this id, or this client may not see it.");
    public static readonly ProblemKind AssetNotFound = new("asset_not_found", 404, "No such asset", "The generation is final and has no asset of this kind.");
    public static readonly ProblemKind MethodNotAllowed = new("method_not_allowed", 405, "Method not allowed", "The route does not support this method. The Allow header lists the supported methods.");
    public static readonly ProblemKind GenerationUnfinished = new("generation_unfinished", 409, "Generation not finished", "The generation is not finished. Retry after the time in Retry-After.");
    public static readonly ProblemKind CreateInProgress = new("create_in_progress", 409, "Create in progress", "A create with this Idempotency-Key is in progress. Retry after the time in Retry-After to get its response.");
    public static readonly ProblemKind OutcomeUnknown = new("outcome_unknown", 409, "Outcome unknown", "The create with this Idempotency-Key failed without a response, and may have been billed. The gateway does not repeat it. Check whether its generation exists before you send a new key.") { ForbidsRetry = true };
    public static readonly ProblemKind NotCancellable = new("not_cancellable", 409, "Not cancellable", "The upstream neither deletes nor cancels generations.");
    public static readonly ProblemKind PreconditionFailed = new("precondition_failed", 412, "Precondition failed", "The current version of the asset does not match the precondition of the request.");
    public static readonly ProblemKind TooLarge = new("request_too_large", 413, "Request too large", "The request's body is larger than the gateway's limit.");
    public static readonly ProblemKind RangeNotSatisfiable = new("range_not_satisfiable", 416, "Range not satisfiable", "The asset has no bytes in this range. Content-Range contains its size.");
    public static readonly ProblemKind IdempotencyKeyReused = new("idempotency_key_reused", 422, "Idempotency key reused", "This Idempotency-Key was used with another request. Use a new key for a new request.");
    public static readonly ProblemKind UnsupportedField = new("unsupported_field", 422, "Unsupported field", "The upstream cannot express the fields in errors.");
    public static readonly ProblemKind CreateRejected = new("create_rejected", 422, "Create rejected", "The upstream rejected the create. Its reasons are in errors.");
    public static readonly ProblemKind Moderated = new("moderated", 422, "Moderated", "The upstream's content moderation rejected the create.");
    public static readonly ProblemKind IdempotencyKeyRequired = new("idempotency_key_required", 428, "Idempotency key required", "This gateway accepts creates with an Idempotency-Key only.");
    public static readonly ProblemKind RateLimited = new("rate_limited", 429, "Too many requests", "This client exceeds its limit. Retry after the time in Retry-After.");
    public static readonly ProblemKind Internal = new("internal_error", 500, "Internal error", "The gateway failed. Search its logs for the request id.");
    public static readonly ProblemKind Unreachable = new("upstream_unreachable", 502, "Upstream unreachable", "The connection to the upstream failed or was lost.");
    public static readonly ProblemKind Failed = new("upstream_failed", 502, "Upstream failed", "The upstream returned a server error.");
    public static readonly ProblemKind Rejected = new("upstream_rejected", 502, "Upstream rejected the request", "The upstream rejected the request.");
    public static readonly ProblemKind Malformed = new("upstream_malformed", 502, "Upstream response malformed", "The gateway cannot read the upstream's response.");
    public static readonly ProblemKind TokenRefused = new("upstream_token_refused", 502, "Upstream account refused", "The upstream rejects the gateway's account. Only an operator of the gateway can solve this; a retry does not help.") { ForbidsRetry = true };
    public static readonly ProblemKind OutOfCredit = new("upstream_out_of_credit", 502, "Upstream account out of credit", "The gateway's account at the upstream is out of credit. Only an operator of the gateway can solve this; a retry does not help.") { ForbidsRetry = true };
    public static readonly ProblemKind CreateOutcomeUnknown = new("create_outcome_unknown", 502, "Outcome of the create unknown", "The create was sent and its response is missing or unreadable, so it may have been billed. Check whether its generation exists before you send it again.") { ForbidsRetry = true };
    public static readonly ProblemKind AssetAddressRefused = new("asset_address_refused", 502, "Asset address refused", "The asset's link, or a redirect of it, has an address that the gateway's settings do not allow.") { ForbidsRetry = true };
    public static readonly ProblemKind AssetUnavailable = new("asset_unavailable", 502, "Asset unavailable", "Fetching the asset failed, even with a renewed link.");
    public static readonly ProblemKind AssetNotMedia = new("asset_not_media", 502, "Asset is not media", "The asset's link returns neither a video nor an image.");
    public static readonly ProblemKind Throttled = new("upstream_throttled", 503, "Upstream throttles", "The upstream limits the rate of requests. Retry after the time in Retry-After.");
    public static readonly ProblemKind CircuitOpen = new("upstream_circuit_open", 503, "Upstream circuit open", "The upstream failed repeatedly, so the gateway sends it no reads for a short time.");
    public static readonly ProblemKind Saturated = new("gateway_saturated", 503, "Gateway saturated", "Too many requests wait for the upstream, or too many callers wait for generations.");
    public static readonly ProblemKind AccountDraining = new("account_draining", 503, "Account draining", "No account that can run this create accepts creates. Nothing was sent.");
    public static readonly ProblemKind CacheUnavailable = new("cache_unavailable", 503, "Shared cache unavailable", "Redis did not confirm the purge. Other replicas may serve the purged response until the gateway has repeated the purge.");
    public static readonly ProblemKind IdempotencyUnavailable = new("idempotency_unavailable", 503, "Idempotency store unavailable", "Redis did not store the Idempotency-Key, so the gateway sent no request to the upstream.");
    public static readonly ProblemKind BodyStorageUnavailable = new("body_storage_unavailable", 503, "Body storage unavailable", "The gateway has no space for the body, so nothing was sent to the upstream.");
    public static readonly ProblemKind AccountSaturated = new("account_saturated", 503, "Account saturated", "The upstream account has no free slot for another job. Nothing was sent to the upstream. Retry after the time in Retry-After.");
    public static readonly ProblemKind LedgerUnavailable = new("ledger_unavailable", 503, "Ledger unavailable", "The ledger of jobs does not respond.");
    public static readonly ProblemKind IssuerUnavailable = new("issuer_unavailable", 503, "Token not verifiable", "The keys of the token's issuer cannot be fetched. Retry after the time in Retry-After.");
    public static readonly ProblemKind TimedOut = new("upstream_timed_out", 504, "Upstream timed out", "The upstream did not respond within the gateway's deadline.");

    /// <summary>All kinds, for the OpenAPI document and tests.</summary>
    public static IReadOnlyList<ProblemKind> All { get; } =
    [
        InvalidId, InvalidRequest, UnknownAccount, Unauthenticated, Forbidden, ListRefused, NotFound, GenerationNotFound, AssetNotFound, MethodNotAllowed,
        GenerationUnfinished, CreateInProgress, OutcomeUnknown, NotCancellable, PreconditionFailed, TooLarge, RangeNotSatisfiable, IdempotencyKeyReused,
        UnsupportedField, CreateRejected, Moderated, IdempotencyKeyRequired, RateLimited, Internal, Unreachable, Failed, Rejected, Malformed, TokenRefused, OutOfCredit,
        CreateOutcomeUnknown, AssetAddressRefused, AssetUnavailable, AssetNotMedia,
        Throttled, CircuitOpen, Saturated, AccountDraining, CacheUnavailable, IdempotencyUnavailable, BodyStorageUnavailable, AccountSaturated, LedgerUnavailable, IssuerUnavailable, TimedOut,
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

    /// <summary>Returns the kind for a status of the framework, which has no kind.</summary>
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
