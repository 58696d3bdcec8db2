namespace LumaGateway.Polling;

/// <summary>How long a generation is polled, over successive waiters, and its consecutive faults. <see cref="RecentPollingPeriods"/> keeps it after the last waiter.</summary>
/// <param name="since">When the polls began, by <see cref="Time.MonotonicClock"/>.</param>
internal sealed class PollingPeriod(TimeSpan since)
{
    public TimeSpan Since => since;

    /// <summary>When the last poll failed, by the wall clock.</summary>
    public DateTimeOffset FailedAt { get; set; }

    public int ConsecutiveFaults { get; set; }
}
