using LumaGateway.Contracts;

namespace LumaGateway.Upstreams;

/// <summary>What a dialect read.</summary>
/// <param name="Generation">The generation as it is published.</param>
/// <param name="IsKnownState">False where the upstream's state is none that the gateway knows: counted, and kept only briefly.</param>
internal readonly record struct DialectResult(Generation Generation, bool IsKnownState);
