using LumaGateway.Access;
using LumaGateway.Callbacks;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Proxy;
using LumaGateway.Upstreams;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace LumaGateway.Creating;

/// <summary>Writes a create in the dialect of the account, and has it sent. A create that the dialect cannot express is not sent. Thread-safe.</summary>
internal sealed class CreateHandler(GenerationCreator creator, AccountChooser chooser, CallbackAddresses callbacks, IOptions<LumaOptions> luma)
{
    public async Task HandleAsync(HttpContext context)
    {
        var request = context.Features.GetRequiredFeature<CreateGenerationRequest>();
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
