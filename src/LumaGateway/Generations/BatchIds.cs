using Microsoft.Extensions.Primitives;

namespace LumaGateway.Generations;

/// <summary>The ids that <c>ids=a,b,c</c> names, each once, in the order asked.</summary>
internal static class BatchIds
{
    /// <summary>What is wrong with them in words, or null.</summary>
    public static string? TryRead(StringValues sent, int most, out IReadOnlyList<string> ids)
    {
        ids = [.. sent
            .SelectMany(value => (value ?? string.Empty).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            .Distinct(StringComparer.Ordinal)];

        return ids.Count == 0 ? "The query must name ids, such as ids=a,b,c."
            : ids.Count > most ? $"The query names {ids.Count} ids; {most} are allowed at once."
            : null;
    }
}
