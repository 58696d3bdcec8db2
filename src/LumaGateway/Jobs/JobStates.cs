using LumaGateway.Contracts;

namespace LumaGateway.Jobs;

/// <summary>The names of states in responses and queries, and their relation to <see cref="GenerationState"/>.</summary>
internal static class JobStates
{
    public static JobState Of(GenerationState state) => state switch
    {
        GenerationState.Queued => JobState.Queued,
        GenerationState.Processing => JobState.Processing,
        GenerationState.Completed => JobState.Completed,
        GenerationState.Failed => JobState.Failed,
        _ => throw new ArgumentOutOfRangeException(nameof(state)),
    };

    public static bool IsFinal(this JobState state) => state is JobState.Completed or JobState.Failed;

    public static string NameOf(JobState state) => state switch
    {
        JobState.Unknown => "unknown",
        JobState.Queued => "queued",
        JobState.Processing => "processing",
        JobState.Completed => "completed",
        JobState.Failed => "failed",
        _ => throw new ArgumentOutOfRangeException(nameof(state)),
    };

    /// <summary>Returns null if the text is not the name of a state.</summary>
    public static JobState? Parse(string name)
    {
        foreach (var state in Enum.GetValues<JobState>())
        {
            if (NameOf(state) == name)
            {
                return state;
            }
        }

        return null;
    }
}
