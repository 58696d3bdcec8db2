namespace LumaGateway.Proxy.Idempotency;

/// <summary>Request feature: the outcome of a create, read from the upstream's response.</summary>
internal sealed record CreateOutcomeFeature(CreateOutcome Outcome);
