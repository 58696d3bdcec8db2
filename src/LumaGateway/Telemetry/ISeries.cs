namespace LumaGateway.Telemetry;

/// <summary>
/// Metrics whose series are all there from the start, at zero: a counter that first appears at one never rose, and no alert sees its first event.
/// </summary>
internal interface ISeries
{
    void Begin();
}
