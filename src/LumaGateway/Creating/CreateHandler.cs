using System.Text.Json;
using LumaGateway.Access;
using LumaGateway.Callbacks;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Proxy;
using LumaGateway.Upstreams;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace LumaGateway.Creating;

/// <summary>Reads a create, writes it in the dialect of the account, and has it sent. A body that cannot be read or expressed is not sent. Thread-safe.</summary>
internal sealed class CreateHandler(
    GenerationCreator creator, AccountChooser chooser, IReadOnlyList<IUpstreamDialect> dialects, CallbackAddresses callbacks, IOptions<LumaOptions> luma)
{
    private readonly string[] _dialects = [.. dialects.Select(dialect => dialect.Name)];

    public async Task HandleAsync(HttpContext context)
    {
        if (await ReadAsync(context) is { } request)
        {
            await SendAsync(context, request);
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

    private async Task SendAsync(HttpContext context, CreateGenerationRequest request)
    {
        var choice = context.Features.GetRequiredFeature<ProxyAccount>();
        var dialect = choice.Account.Dialect;
        var defaults = new CreateDefaults(callbacks.Create(), luma.Value.SendUserId ? RateLimitLease.Of(context)?.Client.Name : null);
        var fields = new CreateFields(request, dialect.Name, defaults);
        if (fields.Write(dialect.Writer) is { } create)
        {
            await creator.CreateAsync(context, choice, create);
        }
        else if (!choice.TryMove(chooser)) // an account of another dialect may be able to express it
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.UnsupportedField, errors: fields.Faults);
        }
    }
}
