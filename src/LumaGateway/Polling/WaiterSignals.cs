namespace LumaGateway.Polling;

/// <summary>Why a subscriber is woken; several reasons may come at once.</summary>
[Flags]
internal enum WaiterSignals
{
    None = 0,

    /// <summary>There is news of something it follows.</summary>
    GenerationSnapshot = 1,

    /// <summary>Nothing was sent to it for long.</summary>
    Heartbeat = 2,

    /// <summary>It has waited as long as it wanted to.</summary>
    TimeUp = 4,

    /// <summary>The service is being stopped.</summary>
    Draining = 8,

    /// <summary>Its caller has gone.</summary>
    Gone = 16,
}
