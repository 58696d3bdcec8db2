namespace LumaGateway.Telemetry;

/// <summary>
/// The metrics of a room. Counters start at zero at start-up: if a counter first appeared with 1, an alert on its increase would miss the first event.
/// </summary>
internal interface IGatewayMetrics
{
    /// <summary>Adds zero to every counter, for every value of its attributes.</summary>
    void Initialize();
}
