namespace LumaGateway.Polling;

/// <summary>Why a waiter is woken. Several reasons may be set at the same time.</summary>
[Flags]
internal enum WaiterSignals
{
    None = 0,

    /// <summary>The state of one of its generations changed.</summary>
    StateChanged = 1,

    /// <summary>Nothing was sent on its stream for <c>Waiting:Heartbeat</c>.</summary>
    Heartbeat = 2,

    /// <summary>The wait that its caller asked for is over.</summary>
    TimedOut = 4,

    /// <summary>The service stops.</summary>
    Stopping = 8,

    /// <summary>Its caller closed the connection.</summary>
    Disconnected = 16,
}
