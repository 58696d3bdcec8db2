using LumaGateway.Problems;
using Microsoft.Extensions.Primitives;

namespace LumaGateway.Access;

/// <summary>Finds the client of a request by its key or JWT. A credential that is sent must be valid, even if anonymous requests are allowed. Thread-safe.</summary>
internal sealed class ClientAuthenticator(ClientDirectory clients, JwtClients jwtClients)
{
    private const string ApiKeyHeader = "X-Api-Key";
    private const string Bearer = "Bearer ";

    /// <inheritdoc cref="JwtClients.TooLarge"/>
    public Refusal TokenTooLarge => jwtClients.TooLarge;

    /// <summary>Authenticates a request with a key or without a credential. Returns false for a JWT, which <see cref="AuthenticateAsync"/> checks.</summary>
    /// <param name="headers">The request's headers.</param>
    /// <param name="client">The client; null if the request is refused.</param>
    /// <param name="reason">Why the request is refused, if <paramref name="client"/> is null.</param>
    public bool TryAuthenticate(IHeaderDictionary headers, out Client? client, out RefusalReason reason)
    {
        (client, reason) = (null, RefusalReason.UnknownKey);
        var authorization = headers.Authorization;
        var apiKey = headers[ApiKeyHeader];
        if (StringValues.IsNullOrEmpty(authorization) && StringValues.IsNullOrEmpty(apiKey))
        {
            (client, reason) = (clients.Anonymous, RefusalReason.NoCredential);
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

    /// <summary>Authenticates a request. The client is null if the request is refused.</summary>
    public async ValueTask<(Client? Client, RefusalReason Reason)> AuthenticateAsync(IHeaderDictionary headers, CancellationToken cancellationToken) =>
        TryAuthenticate(headers, out var client, out var reason)
            ? (client, reason)
            : await jwtClients.AuthenticateAsync(headers.Authorization.ToString()[Bearer.Length..].Trim(), cancellationToken);
}
