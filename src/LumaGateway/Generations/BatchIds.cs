using LumaGateway.Contracts;
using LumaGateway.Documentation;
using Microsoft.Extensions.Primitives;
using Microsoft.OpenApi;

namespace LumaGateway.Generations;

/// <summary>Parses <c>ids=a,b,c</c>: the distinct ids in canonical form, in the order of the query. A malformed id stays as it is.</summary>
internal static class BatchIds
{
    /// <summary>The parameter in the OpenAPI document.</summary>
    public static DocumentedParameter Parameter { get; } = new("ids", ParameterLocation.Query, "Generation ids, separated by commas; at most `Batch:MaxIds`. A repeated id counts once.")
    {
        IsRequired = true,
        IsList = true,
        Example = "4665a07c-7641-4809-a133-10786201bb56",
    };

    /// <summary>Returns an error message for the caller; null if the ids are valid.</summary>
    public static string? TryRead(StringValues values, int max, out IReadOnlyList<string> ids)
    {
        ids = [.. values
            .SelectMany(value => (value ?? string.Empty).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            .Select(static text => GenerationId.TryParse(text, null, out var id) ? id.Value : text)
            .Distinct(StringComparer.Ordinal)];

        return ids.Count == 0 ? "The query must name ids, such as ids=a,b,c."
            : ids.Count > max ? $"The query names {ids.Count} ids; {max} are allowed."
            : null;
    }
}
