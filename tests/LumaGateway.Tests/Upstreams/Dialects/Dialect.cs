using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Upstreams;
using LumaGateway.Upstreams.Dialects;

namespace LumaGateway.Tests.Upstreams.Dialects;

/// <summary>Asks a dialect by its name, as <c>Luma:Dialect</c> does, with a body written out as text.</summary>
internal static class Dialect
{
    /// <summary>The id that the short bodies in these tests are about.</summary>
    public const string Id = "g1";

    public static IReadOnlyList<IUpstreamDialect> All { get; } = KnownDialects.Create();

    private static readonly Dictionary<string, string> Templates = All.ToDictionary(dialect => dialect.Name, dialect => ReadTemplate(dialect.Name));

    public static IUpstreamDialect Named(string name) => All.Single(dialect => dialect.Name == name);

    public static DialectResult Answer(string name, string body, string id = Id, HttpStatusCode status = HttpStatusCode.OK)
    {
        using var document = JsonDocument.Parse(body);
        return Named(name).Read(GenerationId.Parse(id, provider: null), status, document.RootElement);
    }

    public static Generation Read(string name, string body, string id = Id) => Answer(name, body, id).Generation;

    public static UpstreamException RefusalReason(string name, string body, HttpStatusCode status = HttpStatusCode.OK) =>
        Assert.Throws<UpstreamException>(() => Answer(name, body, status: status));

    /// <summary>A body of that dialect about <see cref="Id"/> in that state; both are JSON.</summary>
    public static string BodyWith(string name, string state, string more = "\"more\":null") =>
        Templates[name].Replace("$state", state, StringComparison.Ordinal).Replace("$more", more, StringComparison.Ordinal);

    private static string ReadTemplate(string name)
    {
        var file = $"fixtures/{name}/template.txt";
        var path = Path.Combine(AppContext.BaseDirectory, file);
        Assert.True(File.Exists(path), $"The dialect {name} has no {file}: see docs/dialects.md.");
        return File.ReadAllText(path).Trim();
    }
}
