using Microsoft.OpenApi;

namespace LumaGateway.Documentation;

/// <summary>Endpoint metadata: a parameter that the endpoint reads from the request by hand.</summary>
/// <param name="Name">The name.</param>
/// <param name="In">Where it is in the request.</param>
/// <param name="Description">For callers, in Markdown.</param>
internal sealed record DocumentedParameter(string Name, ParameterLocation In, string Description)
{
    public bool IsRequired { get; init; }

    /// <summary>The type of the value, or of each value of a list. An enum becomes a reference to its schema.</summary>
    public Type Type { get; init; } = typeof(string);

    /// <summary>The smallest and the largest number; null for no range.</summary>
    public (int Min, int Max)? Range { get; init; }

    /// <summary>Whether it is a list of values, separated by commas.</summary>
    public bool IsList { get; init; }

    /// <summary>Null for none. Swagger UI sends it with every request, so optional parameters have none.</summary>
    public string? Example { get; init; }
}
