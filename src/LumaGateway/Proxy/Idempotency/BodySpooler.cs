using LumaGateway.Problems;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace LumaGateway.Proxy.Idempotency;

/// <summary>
/// Reads the body of a request before it is sent, so that it can be compared and sent again. Refuses a body that is too large or cannot be kept. Thread-safe.
/// </summary>
internal sealed partial class BodySpooler(IOptions<PassthroughOptions> options, ILogger<BodySpooler> logger)
{
    private readonly BodyStorage _storage = new(options.Value.MaxStoredBytes);

    /// <summary>Returns null after a problem response. The body is read once: if the request has a spooled body already, returns that.</summary>
    /// <param name="context">The request.</param>
    /// <param name="addedBytes">How many bytes the gateway itself may have added to the body; they do not count for the limit.</param>
    public async Task<SpooledBody?> ReadAsync(HttpContext context, int addedBytes = 0)
    {
        if (context.Features.Get<SpooledBody>() is { } known && ReferenceEquals(known.Content, context.Request.Body))
        {
            return known;
        }

        RequestBodyLimit.Apply(context);
        SpooledBody? body;
        try
        {
            var limit = RequestBodyLimit.OfRoute(context) ?? options.Value.MaxBodyBytes;
            body = await SpooledBody.ReadAsync(context.Request, limit < 0 ? long.MaxValue : limit + addedBytes, _storage);
        }
        catch (SpoolException failure)
        {
            Log.NotSpooled(logger, failure.Message, context.TraceIdentifier);
            await ProblemWriter.WriteAsync(context, ProblemKinds.BodyStorageUnavailable);
            return null;
        }

        if (body is null)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.TooLarge);
        }

        return body;
    }

    /// <summary>Makes the body that of the request, from its first byte.</summary>
    public static void Send(HttpContext context, SpooledBody body)
    {
        body.Content.Position = 0;
        context.Features.Set(body);
        context.Request.Body = body.Content;
        context.Request.Headers.ContentLength = body.Content.Length;
        context.Request.Headers.Remove(HeaderNames.TransferEncoding);
    }

    private static partial class Log
    {
        [LoggerMessage(4305, LogLevel.Warning, "The body of a request could not be stored ({Error}), so the request was not sent. Give the gateway a writable directory in TMPDIR with enough space, or raise Passthrough:MaxStoredBytes (request {RequestId}).")]
        public static partial void NotSpooled(ILogger logger, string error, string requestId);
    }
}
