using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using LumaGateway.Contracts;
using LumaGateway.Redis;
using Microsoft.Extensions.Options;

namespace LumaGateway.Access;

/// <summary>
/// Creates and verifies tickets. A ticket has the expiry, permissions and name of a client, signed together with the id of one generation. A browser sends it in
/// the query where it can send no header. In use if <c>Cors:AllowedOrigins</c> has an origin. Thread-safe.
/// </summary>
internal sealed partial class Tickets(
    ClientDirectory clients, ClientLimiters limiters, RedisSigner signer, IOptions<OriginOptions> options, TimeProvider clock, ILogger<Tickets> logger)
{
    /// <summary>The permissions that a ticket can have.</summary>
    public const Permissions Grantable = Permissions.Read | Permissions.Assets;

    private const int PermissionsAt = sizeof(long); // after the expiry in seconds of Unix time
    private const int NameAt = PermissionsAt + 1;
    private const int MaxLength = 512; // a name has at most 132 bytes

    private int _isWarned;

    public bool AreInUse => options.Value.AllowedOrigins.Count > 0;

    /// <summary>Creates a ticket with those of the client's permissions that a ticket can have.</summary>
    public GenerationTicket Create(GenerationId id, Client client)
    {
        if (!signer.IsActive && Interlocked.Exchange(ref _isWarned, 1) == 0)
        {
            Log.KeyOfProcess(logger);
        }

        var expiry = (clock.GetUtcNow() + options.Value.TicketLifetime).ToUnixTimeSeconds();
        var data = new byte[NameAt + Encoding.UTF8.GetByteCount(client.Name)];
        BinaryPrimitives.WriteInt64BigEndian(data, expiry);
        data[PermissionsAt] = (byte)(client.Permissions & Grantable);
        Encoding.UTF8.GetBytes(client.Name, data.AsSpan(NameAt));
        return new GenerationTicket(Base64Url.EncodeToString(signer.Sign(SignedKind.Ticket, id.Value, data)), DateTimeOffset.FromUnixTimeSeconds(expiry));
    }

    /// <summary>
    /// The client of a ticket, with the permissions that both have. Null if the ticket is malformed, expired, of another generation, not signed by this gateway, or
    /// of a client that is no longer in the settings.
    /// </summary>
    public Client? Find(GenerationId id, string ticket)
    {
        if (ticket.Length > MaxLength || !Base64Url.IsValid(ticket)
            || !signer.TryVerify(SignedKind.Ticket, id.Value, Base64Url.DecodeFromChars(ticket), out var data)
            || data.Length <= NameAt || BinaryPrimitives.ReadInt64BigEndian(data) <= clock.GetUtcNow().ToUnixTimeSeconds())
        {
            return null;
        }

        // Only a client that may see the generation gets a ticket for it, so its owner is not looked up again.
        var permissions = ((Permissions)data[PermissionsAt] & Grantable) | Permissions.ReadAll;
        var name = Encoding.UTF8.GetString(data[NameAt..]);
        if (name.StartsWith(Client.JwtPrefix, StringComparison.Ordinal))
        {
            return new Client(name, permissions, limiters.Of(name)); // only its token knew its permissions
        }

        return clients.FindByName(name) is { } client ? client with { Permissions = (client.Permissions | Permissions.ReadAll) & permissions } : null;
    }

    private static partial class Log
    {
        [LoggerMessage(1041, LogLevel.Warning, "Tickets are signed with a random key of this process, because Cache:SigningKey and Cache:SigningKeyFile are empty. Other replicas refuse them, and so does this one after a restart. See docs/browsers.md.")]
        public static partial void KeyOfProcess(ILogger logger);
    }
}

/// <summary>Endpoint metadata: the endpoint accepts a ticket for the generation in its route. Only for safe methods.</summary>
internal sealed class AcceptsTicket;
