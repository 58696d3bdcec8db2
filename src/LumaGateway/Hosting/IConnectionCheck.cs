namespace LumaGateway.Hosting;

/// <summary>Checks one connection for <c>--check</c>. Costs no credit and leaves no data behind.</summary>
internal interface IConnectionCheck
{
    /// <summary>The name in the output.</summary>
    string Name { get; }

    /// <summary>Is bounded in time and throws no exception.</summary>
    Task<ConnectionCheckResult> CheckAsync();
}
