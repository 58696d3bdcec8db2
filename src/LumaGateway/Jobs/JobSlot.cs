namespace LumaGateway.Jobs;

/// <summary>A slot that a create holds. Also a request feature.</summary>
/// <param name="Account">The account.</param>
/// <param name="Lease">The name of the lease.</param>
internal sealed record JobSlot(string Account, string Lease);

/// <summary>The result of asking for a slot.</summary>
/// <param name="Slot">The slot; null if the account has no limits, or is saturated.</param>
/// <param name="RetryAfter">When to try again, if the account is saturated; otherwise null.</param>
internal readonly record struct SlotResult(JobSlot? Slot, TimeSpan? RetryAfter);
