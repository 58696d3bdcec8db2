namespace LumaGateway.Problems;

/// <summary>One row of the problem table. The code and the type are stable, because clients depend on them.</summary>
/// <param name="Code">Stable, snake_case.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Title">A short name.</param>
/// <param name="Detail">The default detail.</param>
internal sealed record ProblemKind(string Code, int Status, string Title, string Detail)
{
    /// <summary>RFC 9457, section 3.1.1: an absolute URI that identifies the kind. It cannot be fetched.</summary>
    public string Type { get; } = $"urn:luma-gateway:problem:{Code}";

    /// <summary>Whether the response forbids automatic retries, because only an operator can solve the problem.</summary>
    public bool ForbidsRetry { get; init; }
}
