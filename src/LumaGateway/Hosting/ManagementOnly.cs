namespace LumaGateway.Hosting;

/// <summary>Endpoint metadata: it is there for connections to <c>Management:Port</c> alone.</summary>
internal sealed class ManagementOnly;
