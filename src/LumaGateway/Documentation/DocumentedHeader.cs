namespace LumaGateway.Documentation;

/// <summary>Endpoint metadata: a header of the response 200.</summary>
/// <param name="Name">The name.</param>
/// <param name="Description">For callers, in Markdown.</param>
internal sealed record DocumentedHeader(string Name, string Description);
