using LumaGateway.Contracts;
using LumaGateway.Problems;
using Microsoft.Extensions.Primitives;

namespace LumaGateway.Access;

/// <summary>Finds the client of a request by its key, JWT or ticket. A ticket counts only without the other two. A credential that is sent must be valid, even if anonymous requests are allowed. Thread-safe.</summary>
internal sealed class ClientAuthenticator(ClientDirectory clients, JwtClients jwtClients, Tickets tickets)
{
    private const string ApiKeyHeader = "X-Api-Key";
    private const string Bearer = "Bearer ";

    /// <inheritdoc cref="JwtClients.TooLarge"/>
    public Refusal TokenTooLarge => jwtClients.TooLarge;

    /// <summary>Authenticates a request with a key or a ticket, or without a credential. Returns false for a JWT, which <see cref="AuthenticateAsync"/> checks.</summary>
    /// <param name="context">The request, after routing.</param>
    /// <param name="client">The client; null if the request is refused.</param>
    /// <param name="reason">Why the request is refused, if <paramref name="client"/> is null.</param>
    public bool TryAuthenticate(HttpContext context, out Client? client, out RefusalReason reason)
    {
        (client, reason) = (null, RefusalReason.UnknownKey);
        var authorization = context.Request.Headers.Authorization;
        var apiKey = context.Request.Headers[ApiKeyHeader];
        if (StringValues.IsNullOrEmpty(authorization) && StringValues.IsNullOrEmpty(apiKey))
        {
            (client, reason) = TicketOf(context) is { } ticket ? (Find(context, ticket), RefusalReason.InvalidTicket) : (clients.Anonymous, RefusalReason.NoCredential);
        }
        else if (apiKey is [{ Length: > 0 } key])
        {
            client = clients.Find(key);
        }
        else if (authorization is [{ } value] && value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            if (jwtClients.HasJwtFormat(value))
            {
                return false;
            }

            client = clients.Find(value.AsSpan(Bearer.Length).Trim());
        }

        return true;
    }

    /// <summary>Authenticates a request with a JWT, for which <see cref="TryAuthenticate"/> returned false. The client is null if the request is refused.</summary>
    public ValueTask<(Client? Client, RefusalReason Reason)> AuthenticateAsync(HttpContext context) =>
        jwtClients.AuthenticateAsync(context.Request.Headers.Authorization.ToString()[Bearer.Length..].Trim(), context.RequestAborted);

    private static string? TicketOf(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<AcceptsTicket>() is null ? null : context.Features.Get<TicketSecret>()?.Value;

    private Client? Find(HttpContext context, string ticket) =>
        GenerationId.TryParse(context.Request.RouteValues["id"] as string, null, out var id) ? tickets.Find(id, ticket) : null;
}
