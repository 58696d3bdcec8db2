namespace LumaGateway.Proxy.Idempotency;

/// <summary>Request feature: what the upstream's answer says of the create that was sent.</summary>
internal sealed record PassedCreate(CreateOutcome Outcome);
