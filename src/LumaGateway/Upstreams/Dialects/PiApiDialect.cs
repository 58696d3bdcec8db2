using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Upstreams.Dialects;

/// <summary>
/// PiAPI: a wrapper with a <c>code</c>, which contains a task with the request in <c>input</c> and a body of the relay family in <c>output</c>. Its
/// <c>video</c> has a watermark. A successful response has an <c>error</c> with code 0.
/// <see cref="RelayReader"/> reads the bodies.
/// </summary>
/// <param name="upstream">The upstream's API root, which links that need its token lead to.</param>
internal sealed class PiApiDialect(Lazy<Uri>? upstream = null) : IUpstreamDialect
{
    private readonly RelayRules _rules = new(upstream, prefersStatus: true, marksVideo: true);

    public string Name => "piapi";

    public bool SignsUrls => false;

    public ICreateWriter Writer { get; } = new PiApiWriter();

    public string PathOf(GenerationId id) => $"task/{id.Value}";

    public IReadOnlyList<string> CreatePaths { get; } = ["task"];

    public string? DeletePathOf(GenerationId id) => null;

    public (string Name, string Value) Credential(string token) => ("x-api-key", token);

    public DialectResult Read(GenerationId id, HttpStatusCode status, JsonElement body) =>
        RelayReader.Read(id, status, body, _rules);
}
