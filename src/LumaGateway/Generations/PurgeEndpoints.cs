using LumaGateway.Caching;
using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Documentation;
using LumaGateway.Problems;

namespace LumaGateway.Generations;

/// <summary>Maps the purge of one generation.</summary>
internal static class PurgeEndpoints
{
    public static void MapPurge(this IEndpointRouteBuilder app) =>
        app.MapDelete("/generations/{id}/cache", PurgeAsync)
            .WithTags(DocumentTags.Operations)
            .WithMetadata(new InvalidInput(ProblemKinds.InvalidId))
            .WithName("ForgetGeneration")
            .WithSummary("Purge one generation from the cache, on all replicas")
            .WithDescription("The next read goes to the upstream. The generation itself is not deleted.")
            .Produces(StatusCodes.Status204NoContent)
            .ProducesGatewayProblems(
                ProblemKinds.InvalidId, ProblemKinds.Unauthenticated, ProblemKinds.Forbidden, ProblemKinds.MethodNotAllowed, ProblemKinds.RateLimited,
                ProblemKinds.GenerationNotFound, ProblemKinds.CacheUnavailable, ProblemKinds.LedgerUnavailable, ProblemKinds.IssuerUnavailable)
            .RequirePermission(Permissions.Purge);

    private static async Task PurgeAsync(GenerationId id, HttpContext context, ResponseCache cache)
    {
        if (await cache.PurgeAsync(id))
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
        else
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.CacheUnavailable);
        }
    }
}
