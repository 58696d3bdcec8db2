using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Problems;

namespace LumaGateway.Upstreams;

/// <summary>
/// How one kind of upstream is asked and understood. Pure: no network, no clock, no state; safe for concurrent use.
/// A new dialect is one new file under <c>Upstreams/Dialects</c>.
/// </summary>
internal interface IUpstreamDialect
{
    /// <summary>The value of <c>Luma:Dialect</c> that chooses it.</summary>
    string Name { get; }

    /// <summary>Whether every asset URL is short-lived, even one whose expiry cannot be read.</summary>
    bool SignsUrls { get; }

    /// <summary>The path of one generation below <c>Luma:BaseAddress</c>, without a leading slash.</summary>
    string PathOf(GenerationId id);

    /// <summary>The request header that carries the token.</summary>
    (string Name, string Value) Credential(string token);

    /// <summary>
    /// Reads an answer. <paramref name="body"/> is <see cref="JsonValueKind.Undefined"/> where a status other than 2xx came with no JSON.
    /// Throws <see cref="UpstreamException"/> and nothing else, whatever the body.
    /// </summary>
    /// <param name="asked">The id asked for: an answer about another one is refused as <see cref="UpstreamFault.Malformed"/>.</param>
    /// <param name="status">The answer's status: some upstreams say "not found" with 400 and "it broke" with 200.</param>
    /// <param name="body">The parsed body, bounded in size and depth.</param>
    DialectResult Read(GenerationId asked, HttpStatusCode status, JsonElement body);
}
