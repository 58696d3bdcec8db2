namespace LumaGateway.Problems;

/// <summary>The ledger did not confirm the operation. The operation may have been done nevertheless. It becomes a 503 <c>ledger_unavailable</c>.</summary>
internal sealed class LedgerUnavailableException(Exception? inner = null) : Exception("The ledger did not confirm.", inner);
