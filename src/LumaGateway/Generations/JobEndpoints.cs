using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Documentation;
using LumaGateway.Jobs;
using LumaGateway.Problems;
using Microsoft.OpenApi;

namespace LumaGateway.Generations;

/// <summary>Maps the list of jobs.</summary>
internal static class JobEndpoints
{
    /// <summary>The most jobs that one request reads. A filter that matches fewer of them gets a shorter page.</summary>
    private const int MaxRead = 2000;

    private const int ReadAtOnce = 200;

    public static void MapJobs(this IEndpointRouteBuilder app) =>
        app.MapMethods("/jobs", [HttpMethods.Get, HttpMethods.Head], ListAsync)
            .WithTags(DocumentTags.Generations)
            .WithName("GetJobs")
            .WithSummary("The creates of the caller's group, newest first")
            .WithDescription("A page can have fewer jobs than `limit`, also if others follow: continue until `next_cursor` is null.")
            .WithMetadata(
                Query("state", "Only jobs in this state.") with { Type = typeof(JobState) },
                Query("model", "Only jobs of this model."),
                Query("from", "The earliest `created_at` (RFC 3339).") with { Type = typeof(DateTimeOffset) },
                Query("to", "The latest `created_at`.") with { Type = typeof(DateTimeOffset) },
                Query("cursor", "`next_cursor` of the previous page."),
                Query("limit", $"1 to {JobFilter.MaxLimit}, by default {JobFilter.DefaultLimit}.") with { Type = typeof(int), Range = (1, JobFilter.MaxLimit) },
                Query("group", "With the permission `read-all`: only this group. By default all."))
            .Produces<JobList>(StatusCodes.Status200OK, "application/json")
            .WithMetadata(new DocumentedExamples(DocumentedExamples.Jobs))
            .ProducesGatewayProblems(
                ProblemKinds.InvalidRequest, ProblemKinds.Unauthenticated, ProblemKinds.Forbidden, ProblemKinds.MethodNotAllowed, ProblemKinds.RateLimited, ProblemKinds.Internal,
                ProblemKinds.LedgerUnavailable, ProblemKinds.IssuerUnavailable)
            .RequirePermission(Permissions.Read);

    private static DocumentedParameter Query(string name, string description) => new(name, ParameterLocation.Query, description);

    private static async Task ListAsync(HttpContext context, IJobLedger ledger, Audit audit)
    {
        if (JobFilter.TryRead(context.Request.Query, out var filter) is { } error)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.InvalidRequest, error);
            return;
        }

        var client = RateLimitLease.Of(context)!.Client;
        var readsAll = client.Has(Permissions.ReadAll);
        if (!readsAll && filter.Group is { } other && other != client.Group)
        {
            audit.Refused(context, client.Name, RefusalReason.MissingPermission);
            await ProblemWriter.WriteAsync(context, ProblemKinds.Forbidden, "The jobs of another group require the permission read-all.");
            return;
        }

        var list = await ReadAsync(ledger, filter, readsAll ? filter.Group : client.Group, context.RequestAborted);
        context.Response.Headers.CacheControl = "private, no-store";
        await context.Response.WriteAsJsonAsync(list, ContractsJson.Web.JobList, cancellationToken: context.RequestAborted);
    }

    private static async Task<JobList> ReadAsync(IJobLedger ledger, JobFilter filter, string? group, CancellationToken cancellationToken)
    {
        var found = new List<JobSummary>();
        var last = filter.After;
        for (var read = 0; read < MaxRead; read += ReadAtOnce)
        {
            var page = await ledger.ListAsync(new JobQuery(group, filter.From, filter.To, last, ReadAtOnce), cancellationToken);
            foreach (var job in page.Jobs.Where(filter.Matches))
            {
                found.Add(new JobSummary(job.Id?.Value, job.Account, job.Dialect, job.Model, job.CreatedAt, job.State));
                if (found.Count == filter.Limit)
                {
                    return new JobList(found, JobPosition.Of(job).ToCursor());
                }
            }

            last = page.Last;
            if (last is null)
            {
                break;
            }
        }

        return new JobList(found, last?.ToCursor());
    }
}
