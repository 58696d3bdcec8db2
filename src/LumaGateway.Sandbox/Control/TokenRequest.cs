namespace LumaGateway.Sandbox.Control;

/// <summary>The body of <c>PUT /sandbox/token</c>.</summary>
internal sealed record TokenRequest(string Token);
