using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Upstreams.Dialects;

/// <summary>
/// Relays of one family: a video with and one without watermark, a copy of everything in <c>artifact</c>, and in older variants the prompt at the top
/// level.
/// <see cref="RelayReader"/> reads the bodies.
/// </summary>
/// <param name="upstream">The upstream's API root, which links that need its token lead to.</param>
internal sealed class RelayDialect(Lazy<Uri>? upstream = null) : IUpstreamDialect
{
    private readonly RelayRules _rules = new(upstream, prefersStatus: false, marksVideo: false);

    public string Name => "relay";

    public bool SignsUrls => false;

    public ICreateWriter Writer { get; } = new RelayWriter();

    public string PathOf(GenerationId id) => $"generations/{id.Value}";

    public IReadOnlyList<string> CreatePaths { get; } = ["generations"];

    public string? DeletePathOf(GenerationId id) => null;

    public (string Name, string Value) Credential(string token) => ("Authorization", $"Bearer {token}");

    public DialectResult Read(GenerationId id, HttpStatusCode status, JsonElement body) =>
        RelayReader.Read(id, status, body, _rules);
}
