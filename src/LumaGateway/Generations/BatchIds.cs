using LumaGateway.Contracts;
using Microsoft.Extensions.Primitives;

namespace LumaGateway.Generations;

/// <summary>Parses <c>ids=a,b,c</c>: the distinct ids in canonical form, in the order of the query. A malformed id stays as it is.</summary>
internal static class BatchIds
{
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
