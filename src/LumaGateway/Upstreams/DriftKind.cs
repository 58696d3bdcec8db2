namespace LumaGateway.Upstreams;

/// <summary>What a response contains that the gateway does not know. The set is closed: it is a metric's attribute.</summary>
internal enum DriftKind
{
    /// <summary>The name of a member.</summary>
    Field,

    /// <summary>A state, or no state.</summary>
    State,

    /// <summary>The type of a generation or of an output.</summary>
    Type,
}
