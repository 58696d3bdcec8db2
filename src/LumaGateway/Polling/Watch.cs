namespace LumaGateway.Polling;

/// <summary>The polls of one generation for one waiter after the other. <see cref="WatchHistory"/> keeps it for a while after the last one.</summary>
/// <param name="since">When the polls began, by <see cref="Time.MonotonicClock"/>.</param>
internal sealed class Watch(TimeSpan since)
{
    public TimeSpan Since => since;

    /// <summary>When the last poll failed, by the wall clock.</summary>
    public DateTimeOffset FailedAt { get; set; }

    public int ConsecutiveFaults { get; set; }
}
