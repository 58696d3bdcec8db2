namespace LumaGateway.Problems;

/// <summary>The ledger did not confirm the operation. The operation may have been done nevertheless.</summary>
internal sealed class LedgerUnavailableException(Exception? inner = null) : Exception("The ledger did not confirm.", inner);
