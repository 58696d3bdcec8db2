using LumaGateway.Documentation;
using LumaGateway.Polling;
using LumaGateway.Problems;
using Microsoft.OpenApi;

namespace LumaGateway.Callbacks;

/// <summary>
/// Maps the upstream's callbacks. They are unsigned, so their content is not trusted: a callback only causes an earlier poll of a generation with waiters,
/// at most one every <c>Waiting:PollFloor</c>.
/// </summary>
internal static class CallbackEndpoints
{
    /// <summary>The route without its secret.</summary>
    public const string RootPath = "/callbacks/luma";

    private const int MaxBodyBytes = 64 * 1024;

    public static void MapCallbacks(this IEndpointRouteBuilder app) =>
        app.MapPost(RootPath + "/{secret}", HandleAsync)
            .WithTags(DocumentTags.Operations)
            .WithName("TakeCallback")
            .WithSummary("Receives the upstream's callback as a hint")
            .WithDescription("For the upstream only; the path contains the secret. The body is not trusted: if callers wait for the generation that it names, the gateway polls the upstream. The response is 204 for every body.")
            .WithMetadata(new DocumentedParameter("secret", ParameterLocation.Path, "The secret in `Callbacks:SecretFile`, or a token that the gateway created from it.") { IsRequired = true, Example = "***" })
            .Produces(StatusCodes.Status204NoContent)
            .ProducesGatewayProblems(ProblemKinds.NotFound, ProblemKinds.TooLarge);

    private static async Task HandleAsync(HttpContext context, CallbackSecrets secrets, ChangeBroadcast changes, WaitingMetrics metrics)
    {
        if (context.Features.Get<CallbackSecret>() is not { } sent || !secrets.IsValid(sent.Value))
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.NotFound); // does not reveal that the route exists
            return;
        }

        if (await ReadAsync(context) is not { } body)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.TooLarge);
            return;
        }

        metrics.HintReceived(CallbackBody.ReadId(body) is { } id && changes.TryHint(id));
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>Null if the body is longer than <see cref="MaxBodyBytes"/>.</summary>
    private static async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpContext context)
    {
        if (context.Request.ContentLength > MaxBodyBytes)
        {
            return null;
        }

        var body = new MemoryStream();
        var buffer = new byte[4096];
        while (await context.Request.Body.ReadAsync(buffer, context.RequestAborted) is > 0 and var length)
        {
            body.Write(buffer, 0, length);
            if (body.Length > MaxBodyBytes)
            {
                return null;
            }
        }

        return body.ToArray();
    }
}
