namespace LumaGateway.Access;

/// <summary>What differs for one client from <see cref="LimitsOptions"/>. Bound to <c>Access:Clients:&lt;n&gt;:Limits</c>.</summary>
internal sealed class ClientLimitsOptions
{
    /// <inheritdoc cref="LimitsOptions.RequestsPerSecond"/>
    public int? RequestsPerSecond { get; set; }

    /// <inheritdoc cref="LimitsOptions.Burst"/>
    public int? Burst { get; set; }

    /// <inheritdoc cref="LimitsOptions.Concurrency"/>
    public int? Concurrency { get; set; }
}
