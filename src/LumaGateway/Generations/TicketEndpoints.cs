using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Documentation;
using LumaGateway.Problems;

namespace LumaGateway.Generations;

/// <summary>Maps the creation of tickets. A ticket has the permissions <c>read</c> and <c>assets</c>, as far as the client has them: it needs at least one.</summary>
internal static class TicketEndpoints
{
    public static void MapTickets(this IEndpointRouteBuilder app) =>
        app.MapPost("/generations/{id}/ticket", CreateAsync)
            .WithTags(DocumentTags.Generations)
            .WithMetadata(new InvalidInput(ProblemKinds.InvalidId))
            .WithName("CreateTicket")
            .WithSummary("A short-lived ticket for one generation, for browsers")
            .WithDescription("An `EventSource` or `<video>` can send no header. It sends `?ticket=` instead, to the event stream (if the client has the permission `read`) and the files (`assets`) of this generation only. Requires one of the two permissions. 404 `not_found` unless the gateway's operators have configured allowed origins.")
            .Produces<GenerationTicket>(StatusCodes.Status201Created, "application/json")
            .WithMetadata(new DocumentedExamples(DocumentedExamples.Ticket))
            .ProducesGatewayProblems(
                ProblemKinds.InvalidId, ProblemKinds.Unauthenticated, ProblemKinds.Forbidden, ProblemKinds.NotFound, ProblemKinds.MethodNotAllowed, ProblemKinds.RateLimited,
                ProblemKinds.GenerationNotFound, ProblemKinds.LedgerUnavailable, ProblemKinds.IssuerUnavailable)
            .RequirePermission(Permissions.None);

    private static Task CreateAsync(GenerationId id, HttpContext context, Tickets tickets, Audit audit)
    {
        var client = RateLimitLease.Of(context)!.Client;
        if (!tickets.AreInUse)
        {
            return ProblemWriter.WriteAsync(context, ProblemKinds.NotFound, "This gateway has no tickets: Cors:AllowedOrigins is empty.");
        }

        if ((client.Permissions & Tickets.Grantable) is Permissions.None)
        {
            audit.Refused(context, client.Name, RefusalReason.MissingPermission);
            return ProblemWriter.WriteAsync(context, ProblemKinds.Forbidden, "A ticket requires one of the permissions read and assets, and this client has neither.");
        }

        context.Response.StatusCode = StatusCodes.Status201Created;
        return context.Response.WriteAsJsonAsync(tickets.Create(id, client), ContractsJson.Web.GenerationTicket, cancellationToken: context.RequestAborted);
    }
}
