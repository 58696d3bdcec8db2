using LumaGateway.Telemetry;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;

namespace LumaGateway.Access;

/// <summary>Request feature: the ticket of the original query. Its text form hides it.</summary>
internal sealed class TicketSecret(string value)
{
    public string Value => value;

    /// <inheritdoc/>
    public override string ToString() => "***";
}

/// <summary>Removes <c>ticket</c> from the query of requests below <c>/generations</c>. The upstream's API under <c>/luma</c> may have a parameter of that name.</summary>
internal sealed class HiddenTicket(Tickets tickets) : IRequestSecret
{
    private const string Parameter = "ticket";

    public bool IsInUse => tickets.AreInUse;

    public void Hide(IHttpRequestFeature request, IFeatureCollection features)
    {
        if (request.QueryString.Length == 0 || !new PathString(request.Path).StartsWithSegments("/generations", StringComparison.OrdinalIgnoreCase))
        {
            return;
        }

        string? ticket = null;
        var rest = new QueryBuilder();
        foreach (var pair in new QueryStringEnumerable(request.QueryString))
        {
            var name = pair.DecodeName().ToString();
            var value = pair.DecodeValue().ToString();
            if (name.Equals(Parameter, StringComparison.OrdinalIgnoreCase))
            {
                ticket = ticket is null ? value : ""; // a request with several tickets is refused
            }
            else
            {
                rest.Add(name, value);
            }
        }

        if (ticket is not null)
        {
            request.QueryString = rest.ToString();
            request.RawTarget = request.RawTarget.Split('?')[0] + request.QueryString;
            features.Set(new TicketSecret(ticket));
        }
    }

    public void Remove(IFeatureCollection features) => features.Set<TicketSecret>(null);
}
