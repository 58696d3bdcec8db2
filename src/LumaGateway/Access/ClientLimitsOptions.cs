namespace LumaGateway.Access;

/// <summary>The limits of one client that override <see cref="LimitsOptions"/>. Bound to <c>Access:Clients:&lt;n&gt;:Limits</c>.</summary>
internal sealed class ClientLimitsOptions
{
    /// <inheritdoc cref="LimitsOptions.RequestsPerSecond"/>
    public int? RequestsPerSecond { get; set; }

    /// <inheritdoc cref="LimitsOptions.Burst"/>
    public int? Burst { get; set; }

    /// <inheritdoc cref="LimitsOptions.Concurrency"/>
    public int? Concurrency { get; set; }
}
