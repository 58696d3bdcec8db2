using System.Text.Json.Serialization;

namespace LumaGateway.Contracts;

/// <summary>A page of jobs, newest first.</summary>
/// <param name="Jobs">The jobs. A page can have fewer than `limit`, also if others follow.</param>
/// <param name="NextCursor">The `cursor` of the next page; null on the last page.</param>
public sealed record JobList(IReadOnlyList<JobSummary> Jobs, string? NextCursor);

/// <summary>A create, and the generation that it made.</summary>
/// <param name="Id">The generation; null while the outcome of the create is not known.</param>
/// <param name="Account">The upstream account.</param>
/// <param name="Dialect">The account's dialect.</param>
/// <param name="Model">The model; null if it is not known.</param>
/// <param name="CreatedAt">When the gateway received the create.</param>
/// <param name="State">The last state that the gateway has seen.</param>
public sealed record JobSummary(
    string? Id,
    string Account,
    string Dialect,
    string? Model,
    [property: JsonConverter(typeof(Rfc3339Converter))] DateTimeOffset CreatedAt,
    JobState State);
