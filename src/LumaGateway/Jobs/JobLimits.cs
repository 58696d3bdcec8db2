namespace LumaGateway.Jobs;

/// <summary>The limits of each upstream account on creates, over all replicas.</summary>
/// <param name="ByAccount">By the account's name. An account that is missing has no limits.</param>
internal sealed record JobLimits(IReadOnlyDictionary<string, SlotLimits> ByAccount)
{
    public SlotLimits Of(string account) => ByAccount.GetValueOrDefault(account, SlotLimits.None);
}

/// <summary>The limits of one account. 0 is no limit.</summary>
/// <param name="ConcurrentJobs">The most jobs that are not final.</param>
/// <param name="CreatesPerMinute">The most creates in any 60 seconds.</param>
internal readonly record struct SlotLimits(int ConcurrentJobs, int CreatesPerMinute)
{
    public static SlotLimits None => default;

    public bool AreSet => ConcurrentJobs > 0 || CreatesPerMinute > 0;
}
