namespace LumaGateway.Documentation;

/// <summary>Endpoint metadata: a header of the successful response.</summary>
/// <param name="Name">The name.</param>
/// <param name="Description">For callers, in Markdown.</param>
internal sealed record DocumentedHeader(string Name, string Description)
{
    public static DocumentedHeader ETag { get; } = new("ETag", "A strong validator of the body.");

    public static DocumentedHeader PreferenceApplied { get; } = new("Preference-Applied", "`wait=N` with the N that was applied; only if the request has `Prefer: wait=N`.");

    public static DocumentedHeader RateLimit { get; } = new("RateLimit", "The requests that the client may send to this replica now; only with a rate limit (draft-ietf-httpapi-ratelimit-headers-10).");

    public static DocumentedHeader RateLimitPolicy { get; } = new("RateLimit-Policy", "The client's rate limit; only with one.");

    public static DocumentedHeader RequestId { get; } = new("X-Request-Id", "The request id: the caller's own, or a new one.");
}
