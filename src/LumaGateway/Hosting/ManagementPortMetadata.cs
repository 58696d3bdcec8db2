namespace LumaGateway.Hosting;

/// <summary>Endpoint metadata: the endpoint is served on <c>Management:Port</c> only.</summary>
internal sealed class ManagementPortMetadata;

/// <summary>Endpoint metadata: the endpoint is served on every port, <c>Management:Port</c> included.</summary>
internal sealed class AnyPortMetadata;
