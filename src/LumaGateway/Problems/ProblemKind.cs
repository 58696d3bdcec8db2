namespace LumaGateway.Problems;

/// <summary>One row of the problem table. <c>code</c> and the type derived from it never change once published.</summary>
/// <param name="Code">Stable, snake_case.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Title">The kind in a few words.</param>
/// <param name="Detail">What a caller is told where there is nothing more particular to say.</param>
internal sealed record ProblemKind(string Code, int Status, string Title, string Detail)
{
    /// <summary>RFC 9457, section 3.1.1: an absolute URI that identifies the kind; it need not be one that can be fetched.</summary>
    public string Type { get; } = $"urn:luma-gateway:problem:{Code}";

    /// <summary>Whether a client that retries by itself must be told not to: nothing that it can do would help.</summary>
    public bool IsForOperators { get; init; }
}
