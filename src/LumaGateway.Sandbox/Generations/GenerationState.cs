namespace LumaGateway.Sandbox.Generations;

/// <summary>What a generation goes through; each dialect spells it its own way.</summary>
internal enum GenerationState
{
    Queued,
    Processing,
    Completed,
    Failed,
}
