using LumaGateway.Problems;

namespace LumaGateway.Access;

/// <summary>
/// Lets a request with the id of a generation pass only if its client may see the generation (<see cref="Ownership"/>). Otherwise the request ends as for an id that
/// the upstream does not know, and the upstream is not asked. Every endpoint with a route value <c>id</c> is checked, unless it has <see cref="WithoutOwner"/>. Must be
/// inside the exception handler, and after <see cref="AccessOutcomeMiddleware"/>. Endpoints with several ids call <see cref="Ownership.FindHiddenAsync"/>.
/// </summary>
internal sealed class OwnershipMiddleware(RequestDelegate next, Ownership ownership)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (RateLimitLease.Of(context)?.Client is not { } client || !ownership.Limits(client) || context.GetEndpoint()?.Metadata is not { } metadata)
        {
            return next(context);
        }

        if (metadata.GetMetadata<ListsAllOwners>() is { } list && (list.ForEveryMethod || HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)))
        {
            return ProblemWriter.WriteAsync(context, ProblemKinds.ListRefused);
        }

        return metadata.GetMetadata<WithoutOwner>() is null && context.Request.RouteValues.ContainsKey("id") ? CheckAsync(context, client) : next(context);
    }

    private async Task CheckAsync(HttpContext context, Client client)
    {
        if (Ownership.IdOf(context) is { } id && !await ownership.MaySeeAsync(id, client, context.RequestAborted))
        {
            throw new UpstreamException(UpstreamFault.NotFound, "The client does not own the generation, or it does not exist.");
        }

        await next(context);
    }
}

/// <summary>Endpoint metadata: the route value <c>id</c> is not the id of a generation.</summary>
internal sealed class WithoutOwner;

/// <summary>Endpoint metadata: the response contains generations of all clients of the account.</summary>
/// <param name="ForEveryMethod">False if only GET and HEAD return them.</param>
internal sealed record ListsAllOwners(bool ForEveryMethod);
