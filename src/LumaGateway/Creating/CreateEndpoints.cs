using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Documentation;
using LumaGateway.Problems;
using LumaGateway.Proxy;
using LumaGateway.Proxy.Idempotency;
using Microsoft.OpenApi;

namespace LumaGateway.Creating;

/// <summary>Maps the create and the delete of a generation.</summary>
internal static class CreateEndpoints
{
    public const string Path = "/generations";

    private static readonly object[] Headers =
    [
        new DocumentedHeader("Location", "The address of the generation."),
        DocumentedHeader.ETag,
        new DocumentedHeader("Cache-Control", "`private, no-cache`."),
        new DocumentedHeader("Cache-Status", "`LumaGateway; fwd=method` (RFC 9211); missing if the response is a recorded one."),
        new DocumentedHeader(IdempotencyMiddleware.ReplayedHeader, "`true` if the response is that of an earlier request with the same `Idempotency-Key`."),
        DocumentedHeader.PreferenceApplied,
        DocumentedHeader.RateLimit,
        DocumentedHeader.RateLimitPolicy,
        DocumentedHeader.RequestId,
    ];

    public static void MapCreates(this IEndpointRouteBuilder app)
    {
        app.MapPost(Path, CreateAsync)
            .WithTags(DocumentTags.Generations)
            .WithName("CreateGeneration")
            .WithSummary("Create a generation")
            .WithDescription("The same body for every upstream. A field that the upstream cannot express is refused, never dropped. Without `Idempotency-Key` a repeated create is billed again. While the create waits for a slot of the account, it has no id and is not sent: end the request to cancel it at no cost.")
            .WithMetadata(new DocumentedBody(typeof(CreateGenerationRequest), DocumentedExamples.Create))
            .WithMetadata(
                new DocumentedParameter(IdempotencyMiddleware.KeyHeader, ParameterLocation.Header, ""),
                new DocumentedParameter("Prefer", ParameterLocation.Header, "`wait=N`: respond when the generation reaches a final state, or after N seconds."),
                new DocumentedParameter(AccountMiddleware.Header, ParameterLocation.Header, ""))
            .Produces<Generation>(StatusCodes.Status201Created, "application/json")
            .WithMetadata(Headers)
            .WithMetadata(new DocumentedExamples(DocumentedExamples.Processing))
            .ProducesGatewayProblems(
                ProblemKinds.InvalidRequest, ProblemKinds.UnknownAccount, ProblemKinds.Unauthenticated, ProblemKinds.Forbidden, ProblemKinds.MethodNotAllowed, ProblemKinds.CreateInProgress, ProblemKinds.OutcomeUnknown, ProblemKinds.AccountDraining,
                ProblemKinds.TooLarge, ProblemKinds.IdempotencyKeyReused, ProblemKinds.UnsupportedField, ProblemKinds.CreateRejected, ProblemKinds.Moderated,
                ProblemKinds.IdempotencyKeyRequired, ProblemKinds.RateLimited, ProblemKinds.Internal, ProblemKinds.Unreachable, ProblemKinds.Failed, ProblemKinds.Rejected,
                ProblemKinds.TokenRefused, ProblemKinds.OutOfCredit, ProblemKinds.CreateOutcomeUnknown, ProblemKinds.Throttled, ProblemKinds.Saturated,
                ProblemKinds.AccountSaturated, ProblemKinds.IdempotencyUnavailable, ProblemKinds.BodyStorageUnavailable, ProblemKinds.LedgerUnavailable, ProblemKinds.IssuerUnavailable,
                ProblemKinds.TimedOut)
            .RequirePermission(Permissions.Create);

        app.MapDelete(Path + "/{id}", DeleteAsync)
            .WithTags(DocumentTags.Generations)
            .WithMetadata(new InvalidInput(ProblemKinds.InvalidId))
            .WithName("DeleteGeneration")
            .WithSummary("Delete a generation")
            .WithDescription("Deletes it at the upstream and purges it from the cache. A create that still waits for a slot has no id: end its request to cancel it.")
            .Produces(StatusCodes.Status204NoContent)
            .ProducesGatewayProblems([.. ProblemResponses.OfReads, ProblemKinds.NotCancellable])
            .RequirePermission(Permissions.Delete);
    }

    private static Task CreateAsync(HttpContext context, CreatePipeline pipeline) => pipeline.InvokeAsync(context);

    private static Task DeleteAsync(GenerationId id, HttpContext context, GenerationDeleter deleter) => deleter.DeleteAsync(id, context);
}
