using LumaGateway.Redis;

namespace LumaGateway.Jobs;

/// <summary>The names of jobs in Redis.</summary>
internal static class JobKeys
{
    /// <summary>Increment it when the format of a job changes in a way that older versions cannot read.</summary>
    private const string Schema = "1";

    /// <summary>The index of all jobs, by time.</summary>
    public const string AllJobs = $"{LedgerConnection.Prefix}jobs:{Schema}";

    /// <summary>The record of one job.</summary>
    public static string Of(string job) => $"{LedgerConnection.Prefix}job:{Schema}:{job}";

    /// <summary>The index of a group's jobs, by time.</summary>
    public static string OfGroup(string? group) => $"{AllJobs}:{group}";
}
