namespace LumaGateway.Access;

/// <summary>Why a request was refused, in words for its caller. A feature of the request, for whoever writes the answer.</summary>
internal sealed record Denial(string Detail);
