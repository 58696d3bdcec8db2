using LumaGateway.Polling;
using LumaGateway.Problems;

namespace LumaGateway.Callbacks;

/// <summary>
/// Maps the upstream's callbacks. They are unsigned and so never believed: one only makes the watch ask sooner, where somebody waits, and
/// no more often than <c>Waiting:PollFloor</c>.
/// </summary>
internal static class CallbackEndpoints
{
    private const int MaxBodyBytes = 64 * 1024;

    public static void MapCallbacks(this IEndpointRouteBuilder app) =>
        app.MapPost(CallbackPaths.Root + "/{secret}", TakeAsync)
            .WithTags("Callbacks")
            .WithName("TakeCallback")
            .WithSummary("The upstream's callback, taken as a hint")
            .WithDescription("For the upstream alone; the secret is in the address. The body is not believed: where somebody waits for the generation that it names, the upstream is asked. The answer is 204 whatever it names.")
            .Produces(StatusCodes.Status204NoContent);

    private static async Task TakeAsync(HttpContext context, CallbackSecrets secrets, UpstreamPoller watcher, WaitingMetrics metrics)
    {
        if (context.Features.Get<CallbackSecret>() is not { } sent || !secrets.Knows(sent.Value))
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.NotFound); // as if there were no such route
            return;
        }

        if (await ReadAsync(context) is not { } body)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.TooLarge);
            return;
        }

        metrics.Hinted(CallbackBody.IdIn(body) is { } id && watcher.Hint(id));
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>Null where there is more than a callback ever has.</summary>
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
