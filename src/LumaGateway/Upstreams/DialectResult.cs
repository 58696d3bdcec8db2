using LumaGateway.Contracts;

namespace LumaGateway.Upstreams;

/// <summary>A generation as a dialect has read it.</summary>
/// <param name="Generation">The published form.</param>
/// <param name="IsKnownState">False if the gateway does not know the upstream's state. Such a generation is counted as processing.</param>
internal readonly record struct DialectResult(Generation Generation, bool IsKnownState);
