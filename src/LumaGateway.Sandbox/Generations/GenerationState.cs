namespace LumaGateway.Sandbox.Generations;

/// <summary>The states of a generation. Each dialect has its own names for them.</summary>
internal enum GenerationState
{
    Queued,
    Processing,
    Completed,
    Failed,
}
