using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Problems;

namespace LumaGateway.Upstreams;

/// <summary>
/// The requests and responses of one kind of upstream. Pure: no network, no clock, no state. Thread-safe.
/// </summary>
internal interface IUpstreamDialect
{
    /// <summary>The value of <c>Luma:Dialect</c>.</summary>
    string Name { get; }

    /// <summary>Whether every asset URL is short-lived, even if its expiry cannot be read from it.</summary>
    bool SignsUrls { get; }

    /// <summary>The path of one generation below <c>Luma:BaseAddress</c>, without a leading slash.</summary>
    string PathOf(GenerationId id);

    /// <summary>The paths below the root that create a generation with a POST and contain no id.</summary>
    IReadOnlyList<string> CreatePaths { get; }

    /// <summary>The path to delete one generation; null if the upstream deletes and cancels none.</summary>
    string? DeletePathOf(GenerationId id);

    /// <summary>Writes creates.</summary>
    ICreateWriter Writer { get; }

    /// <summary>The request header that carries the token.</summary>
    (string Name, string Value) Credential(string token);

    /// <summary>
    /// Reads a response. Throws no exception other than <see cref="UpstreamException"/> for any body.
    /// </summary>
    /// <param name="id">The requested id. A response about another id is rejected as <see cref="UpstreamFault.Malformed"/>.</param>
    /// <param name="status">The status of the response. Some upstreams use 400 for "not found" and 200 for errors.</param>
    /// <param name="body">
    /// The parsed body, bounded in size and depth; <see cref="JsonValueKind.Undefined"/> if the status is not 2xx and the body is not JSON.
    /// </param>
    DialectResult Read(GenerationId id, HttpStatusCode status, JsonElement body);
}
