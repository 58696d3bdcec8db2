using System.Globalization;
using LumaGateway.Contracts;
using LumaGateway.Jobs;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Generations;

/// <summary>The query of <c>GET /jobs</c>.</summary>
/// <param name="Group">The group; null if the query names none.</param>
/// <param name="State">The state; null for all.</param>
/// <param name="Model">The model; null for all.</param>
/// <param name="From">The earliest time.</param>
/// <param name="To">The latest time.</param>
/// <param name="After">The end of the previous page.</param>
/// <param name="Limit">The most jobs on the page.</param>
internal sealed record JobFilter(string? Group, JobState? State, string? Model, DateTimeOffset From, DateTimeOffset To, JobPosition? After, int Limit)
{
    public const int DefaultLimit = 50;
    public const int MaxLimit = 200;

    /// <summary>Returns an error message for the caller; null if the query is valid.</summary>
    public static string? TryRead(IQueryCollection query, out JobFilter filter)
    {
        var (state, after, limit) = (default(JobState?), default(JobPosition?), DefaultLimit);
        var (from, to) = (DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue);
        var error =
            Text("state") is { } stateText && (state = JobStates.Parse(stateText)) is null ? "state must be unknown, queued, processing, completed or failed."
            : Text("from") is { } fromText && !TryReadTime(fromText, out from) ? "from must be a time such as 2026-01-02T03:04:05Z."
            : Text("to") is { } toText && !TryReadTime(toText, out to) ? "to must be a time such as 2026-01-02T03:04:05Z."
            : Text("cursor") is { } cursorText && (after = JobPosition.Parse(cursorText)) is null ? "cursor must be next_cursor of an earlier response."
            : Text("limit") is { } limitText && !(int.TryParse(limitText, NumberStyles.None, CultureInfo.InvariantCulture, out limit) && limit is >= 1 and <= MaxLimit) ? $"limit must be between 1 and {MaxLimit}."
            : null;
        filter = new JobFilter(Text("group"), state, Text("model"), from, to, after, limit);
        return error;

        string? Text(string name) => query[name].ToString() is { Length: > 0 } text ? text : null;
    }

    public bool Matches(Job job) => (State is null || job.State == State) && (Model is null || job.Model == Model);

    private static bool TryReadTime(string text, out DateTimeOffset time)
    {
        var read = WireTime.FromRfc3339(text);
        time = read.GetValueOrDefault();
        return read is not null;
    }
}
