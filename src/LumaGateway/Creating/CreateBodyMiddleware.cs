using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Upstreams;

namespace LumaGateway.Creating;

/// <summary>
/// Reads the body of a create into the request feature <see cref="CreateGenerationRequest"/>. A body that cannot be read is refused at once: it needs neither a job record nor a slot.
/// Thread-safe.
/// </summary>
internal sealed class CreateBodyMiddleware(RequestDelegate next, IReadOnlyList<IUpstreamDialect> dialects)
{
    private readonly string[] _dialects = [.. dialects.Select(dialect => dialect.Name)];

    public async Task InvokeAsync(HttpContext context)
    {
        if (await ReadAsync(context) is { } request)
        {
            context.Request.Body = Stream.Null; // it is read, and need not be kept for a second account
            context.Features.Set(request);
            await next(context);
        }
    }

    /// <summary>Returns null after a problem response.</summary>
    private async Task<CreateGenerationRequest?> ReadAsync(HttpContext context)
    {
        JsonDocument document;
        try
        {
            document = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
        }
        catch (JsonException)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.InvalidRequest, "The body is not valid JSON.");
            return null;
        }

        using (document)
        {
            if (document.RootElement.ValueKind is not JsonValueKind.Object)
            {
                await ProblemWriter.WriteAsync(context, ProblemKinds.InvalidRequest, "The body must be a JSON object.");
                return null;
            }

            var reader = new CreateRequestReader(_dialects);
            var request = reader.Read(document.RootElement);
            if (request is null)
            {
                await ProblemWriter.WriteAsync(context, ProblemKinds.InvalidRequest, "The fields in errors are not valid.", errors: reader.Faults);
            }

            return request;
        }
    }
}
