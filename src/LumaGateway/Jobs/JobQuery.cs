using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace LumaGateway.Jobs;

/// <summary>Which jobs to list, newest first.</summary>
/// <param name="Group">The group; null for all groups.</param>
/// <param name="From">The earliest time, included.</param>
/// <param name="To">The latest time, included.</param>
/// <param name="After">The last job of the previous page; null for the first page.</param>
/// <param name="Count">The most jobs.</param>
internal sealed record JobQuery(string? Group, DateTimeOffset From, DateTimeOffset To, JobPosition? After, int Count);

/// <summary>The position of a job in the list: jobs are ordered by time, those of one millisecond by key.</summary>
/// <param name="At">Milliseconds of Unix time.</param>
/// <param name="Key">The job's key.</param>
internal readonly record struct JobPosition(long At, string Key)
{
    public static JobPosition Of(Job job) => new(job.CreatedAt.ToUnixTimeMilliseconds(), job.Key);

    /// <summary>As an opaque text for callers.</summary>
    public string ToCursor() => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{At} {Key}")));

    /// <summary>Returns null if the text is not a cursor.</summary>
    public static JobPosition? Parse(string cursor) =>
        Base64Url.IsValid(cursor) && Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor)).Split(' ', 2) is [var at, { Length: > 0 } key]
            && long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            ? new JobPosition(milliseconds, key)
            : null;

    /// <summary>Whether this job comes before the other one in the list, so that it is newer.</summary>
    public bool IsBefore(JobPosition other) => At != other.At ? At > other.At : string.CompareOrdinal(Key, other.Key) > 0;
}

/// <summary>One page of jobs.</summary>
/// <param name="Jobs">The jobs, newest first, without those that have expired.</param>
/// <param name="Last">The position of the last entry that was read; null if the list ends here.</param>
internal sealed record JobPage(IReadOnlyList<Job> Jobs, JobPosition? Last);
