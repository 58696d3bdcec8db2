using System.Globalization;
using System.Text;
using LumaGateway.Contracts;

namespace LumaGateway.Client;

/// <summary>Which jobs to list. A property that is null selects all.</summary>
public sealed record JobFilter
{
    /// <summary>The gateway's limit.</summary>
    private const int MaxPageSize = 200;

    /// <summary>Only jobs in this state: the last one that the gateway has seen.</summary>
    public JobState? State { get; init; }

    /// <summary>Only jobs of this model, as the upstream names it.</summary>
    public string? Model { get; init; }

    /// <summary>The earliest <see cref="JobSummary.CreatedAt"/>, included.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>The latest <see cref="JobSummary.CreatedAt"/>, included.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Only jobs of this group of clients. Another group than the client's own requires the permission <c>read-all</c>. Null: all groups with that permission, else the client's own.</summary>
    public string? Group { get; init; }

    /// <summary>The most jobs on a page, 1 to 200. Null: the gateway's default of 50.</summary>
    public int? PageSize { get; init; }

    /// <summary>The path and query of a page. Throws <see cref="ArgumentException"/> if a value is out of range.</summary>
    internal string ToPath(string? cursor)
    {
        if (State is { } state && !Enum.IsDefined(state))
        {
            throw new ArgumentException("JobFilter.State is not a state of jobs.");
        }

        if (PageSize is < 1 or > MaxPageSize)
        {
            throw new ArgumentException($"JobFilter.PageSize must be 1 to {MaxPageSize}.");
        }

        var path = new StringBuilder("jobs");
        Add("state", State?.ToString().ToLowerInvariant());
        Add("model", Model);
        Add("from", TextOf(From));
        Add("to", TextOf(To));
        Add("group", Group);
        Add("limit", PageSize?.ToString(CultureInfo.InvariantCulture));
        Add("cursor", cursor);
        return path.ToString();

        void Add(string name, string? value)
        {
            if (value is not null)
            {
                path.Append(path.Length == "jobs".Length ? '?' : '&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
            }
        }
    }

    private static string? TextOf(DateTimeOffset? time) => time?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);
}
