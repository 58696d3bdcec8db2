namespace LumaGateway.Hosting;

/// <param name="Status">Whether the connection works.</param>
/// <param name="Message">A sentence for the operator, without secrets and addresses.</param>
internal readonly record struct ConnectionCheckResult(ConnectionStatus Status, string Message);

/// <summary>The outcome of an <see cref="IConnectionCheck"/>.</summary>
internal enum ConnectionStatus
{
    Ok,
    Failed,

    /// <summary>The server responds, but the response does not prove that it is the configured one. The exit code ignores it.</summary>
    Uncertain,

    /// <summary>The settings contain no such connection.</summary>
    NotConfigured,
}
