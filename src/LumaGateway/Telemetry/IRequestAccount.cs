namespace LumaGateway.Telemetry;

/// <summary>Request feature: the upstream account of a request under <c>/luma</c>, for the audit.</summary>
internal interface IRequestAccount
{
    /// <summary>The account's name; that of the last one if a create has moved.</summary>
    string AccountName { get; }
}
