using LumaGateway.Problems;
using Microsoft.Extensions.Primitives;

namespace LumaGateway.Access;

/// <summary>Who sends a request, by the key or the token that it shows. A key that is sent must be right, even where none is needed. Thread-safe.</summary>
internal sealed class ClientAuthenticator(ClientDirectory clients, JwtClients tokens)
{
    private const string ApiKeyHeader = "X-Api-Key";
    private const string Bearer = "Bearer ";

    /// <inheritdoc cref="JwtClients.TooLarge"/>
    public Denial TokenTooLarge => tokens.TooLarge;

    /// <summary>Says at once who it is, or why it is nobody. False for a token, which only <see cref="IdentifyAsync"/> can check.</summary>
    public bool TryIdentify(IHeaderDictionary headers, out Client? client, out RefusalReason otherwise)
    {
        (client, otherwise) = (null, RefusalReason.UnknownKey);
        var authorization = headers.Authorization;
        var apiKey = headers[ApiKeyHeader];
        if (StringValues.IsNullOrEmpty(authorization) && StringValues.IsNullOrEmpty(apiKey))
        {
            (client, otherwise) = (clients.Anonymous, RefusalReason.NoCredential);
        }
        else if (apiKey is [{ Length: > 0 } key])
        {
            client = clients.Find(key);
        }
        else if (authorization is [{ } value] && value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            if (tokens.MayBeToken(value))
            {
                return false;
            }

            client = clients.Find(value.AsSpan(Bearer.Length).Trim());
        }

        return true;
    }

    /// <summary>Null where it is nobody, and why.</summary>
    public async ValueTask<(Client? Client, RefusalReason Otherwise)> IdentifyAsync(IHeaderDictionary headers, CancellationToken cancellationToken) =>
        TryIdentify(headers, out var client, out var otherwise)
            ? (client, otherwise)
            : await tokens.FindAsync(headers.Authorization.ToString()[Bearer.Length..].Trim(), cancellationToken);
}
