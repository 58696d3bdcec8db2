using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Upstreams;
using LumaGateway.Upstreams.Dialects;

namespace LumaGateway.Tests.Upstreams.Dialects;

/// <summary>Reads bodies given as text with the dialect of a name, as <c>Luma:Dialect</c> selects it.</summary>
internal static class Dialect
{
    /// <summary>The id in the short bodies of these tests.</summary>
    public const string Id = "g1";

    public static IReadOnlyList<IUpstreamDialect> All { get; } = KnownDialects.Create();

    private static readonly Dictionary<string, string> Templates = All.ToDictionary(dialect => dialect.Name, dialect => ReadTemplate(dialect.Name));

    public static IUpstreamDialect Named(string name) => All.Single(dialect => dialect.Name == name);

    public static DialectResult ReadResult(string name, string body, string id = Id, HttpStatusCode status = HttpStatusCode.OK)
    {
        using var document = JsonDocument.Parse(body);
        return Named(name).Read(GenerationId.Parse(id, provider: null), status, document.RootElement);
    }

    public static Generation Read(string name, string body, string id = Id) => ReadResult(name, body, id).Generation;

    public static UpstreamException ReadFault(string name, string body, HttpStatusCode status = HttpStatusCode.OK) =>
        Assert.Throws<UpstreamException>(() => ReadResult(name, body, status: status));

    /// <summary>A body of the dialect for <see cref="Id"/>. <paramref name="state"/> and <paramref name="more"/> are JSON.</summary>
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
