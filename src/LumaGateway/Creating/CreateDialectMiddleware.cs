using LumaGateway.Access;
using LumaGateway.Callbacks;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Proxy;
using LumaGateway.Upstreams;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace LumaGateway.Creating;

/// <summary>
/// Writes a create in the dialect of each account that it may go to, and leaves out the accounts whose dialect cannot express it. Refuses a create that no dialect can express: it needs
/// neither a job record nor a slot. Thread-safe.
/// </summary>
internal sealed class CreateDialectMiddleware(RequestDelegate next, AccountChooser chooser, CallbackAddresses callbacks, IOptions<LumaOptions> luma)
{
    public Task InvokeAsync(HttpContext context)
    {
        var request = context.Features.GetRequiredFeature<CreateGenerationRequest>();
        var choice = context.Features.GetRequiredFeature<ProxyAccount>();
        var defaults = new CreateDefaults(callbacks.Create(), luma.Value.SendUserId ? RateLimitLease.Of(context)?.Client.Name : null);
        var written = new Dictionary<string, UpstreamCreate>(StringComparer.Ordinal);
        IReadOnlyDictionary<string, IReadOnlyList<string>>? faults = null;
        foreach (var dialect in choice.Candidates.Select(static account => account.Dialect).DistinctBy(static dialect => dialect.Name))
        {
            var fields = new CreateFields(request, dialect.Name, defaults);
            if (fields.Write(dialect.Writer) is { } create)
            {
                written.Add(dialect.Name, create);
            }
            else if (dialect.Name == choice.Account.Dialect.Name)
            {
                faults = fields.Faults;
            }
        }

        if (written.Count == 0)
        {
            return ProblemWriter.WriteAsync(context, ProblemKinds.UnsupportedField, errors: faults);
        }

        if (!choice.TryLimitTo(account => written.ContainsKey(account.Dialect.Name), chooser))
        {
            return ProblemWriter.WriteAsync(context, ProblemKinds.AccountDraining);
        }

        context.Features.Set(new WrittenCreate(written));
        return next(context);
    }
}

/// <summary>Request feature: a create in the dialects that can express it.</summary>
/// <param name="ByDialect">By the name of the dialect.</param>
internal sealed record WrittenCreate(IReadOnlyDictionary<string, UpstreamCreate> ByDialect);
