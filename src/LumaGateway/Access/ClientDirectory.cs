using System.Collections.Frozen;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace LumaGateway.Access;

/// <summary>
/// Finds a client by its key's SHA-256: one look-up however many clients there are, whose time tells nothing of how near a wrong key is to a
/// right one. Follows changes of the settings; wrong ones are ignored, with a log. Thread-safe.
/// </summary>
internal sealed partial class ClientDirectory : IDisposable
{
    private const int MaxKeyLength = 512;

    private readonly IDisposable? _subscription;
    private volatile State _state;

    public ClientDirectory(IOptionsMonitor<AccessOptions> options, ILogger<ClientDirectory> logger)
    {
        _state = Build(options.CurrentValue);
        _subscription = options.OnChange(changed =>
        {
            _state = Build(changed);
            Log.Changed(logger, changed.Clients.Count);
        });
    }

    /// <summary>The caller who sends no key, where that is allowed.</summary>
    public Client? Anonymous => _state.Anonymous;

    public Client? Find(ReadOnlySpan<char> key)
    {
        if (key.Length is 0 or > MaxKeyLength)
        {
            return null;
        }

        Span<byte> bytes = stackalloc byte[MaxKeyLength * 3];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        var length = Encoding.UTF8.GetBytes(key, bytes);
        SHA256.HashData(bytes[..length], hash);
        return _state.Clients.GetValueOrDefault(MemoryMarshal.Read<Digest>(hash));
    }

    public void Dispose() => _subscription?.Dispose();

    private static State Build(AccessOptions options) => new(
        options.Clients
            .SelectMany(client => client.Digests.Select(digest => KeyValuePair.Create(
                MemoryMarshal.Read<Digest>(Convert.FromHexString(digest)), new Client(client.Name, RightsOf(client)))))
            .ToFrozenDictionary(),
        options.AllowAnonymous ? Client.Anonymous : null);

    private static Rights RightsOf(ClientOptions client) => client.Rights.Count == 0
        ? RightNames.Default
        : client.Rights.Aggregate(Rights.None, (rights, name) => RightNames.TryParse(name, out var right) ? rights | right : rights);

    private readonly record struct Digest(UInt128 High, UInt128 Low);

    private sealed record State(FrozenDictionary<Digest, Client> Clients, Client? Anonymous);

    private static partial class Log
    {
        [LoggerMessage(1001, LogLevel.Information, "The clients' settings changed; {Count} clients may come in from now on.")]
        public static partial void Changed(ILogger logger, int count);
    }
}
