using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Upstreams.Dialects;

/// <summary>
/// Relays in the style of new-api: a flat task, or a wrapper with a <c>code</c>, which contains a task with unix times, which may contain the response of
/// another relay. The outer id and status take precedence. "Not found" is a 400.
/// <see cref="RelayReader"/> reads the bodies.
/// </summary>
/// <param name="upstream">The upstream's API root, which links that need its token lead to.</param>
internal sealed class NewApiDialect(Lazy<Uri>? upstream = null) : IUpstreamDialect
{
    private readonly RelayRules _rules = new(upstream, prefersStatus: true, marksVideo: false);

    public string Name => "new-api";

    public bool SignsUrls => false;

    public ICreateWriter Writer { get; } = new NewApiWriter();

    public string PathOf(GenerationId id) => $"generations/{id.Value}";

    public IReadOnlyList<string> CreatePaths { get; } = ["generations"];

    public string? DeletePathOf(GenerationId id) => null;

    public (string Name, string Value) Credential(string token) => ("Authorization", $"Bearer {token}");

    public DialectResult Read(GenerationId id, HttpStatusCode status, JsonElement body) =>
        RelayReader.Read(id, status, body, _rules);
}
