namespace LumaGateway.Documentation;

/// <summary>Endpoint metadata: the JSON body that the endpoint reads from the request by hand.</summary>
/// <param name="Type">The contract.</param>
/// <param name="Example">The name of the example, a constant of <see cref="DocumentedExamples"/>.</param>
internal sealed record DocumentedBody(Type Type, string Example);
