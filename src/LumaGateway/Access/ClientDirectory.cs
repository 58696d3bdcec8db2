using System.Collections.Frozen;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace LumaGateway.Access;

/// <summary>
/// Finds a client by its key's SHA-256: one look-up however many clients there are, whose time tells nothing of how near a wrong key is to a
/// right one. Follows changes of the settings; wrong ones change nothing and are warned of. Thread-safe.
/// </summary>
internal sealed partial class ClientDirectory : IDisposable
{
    private const int MaxKeyLength = 512;

    private readonly IOptionsFactory<AccessOptions> _access;
    private readonly IOptionsFactory<LimitsOptions> _limits;
    private readonly ClientLimiters _allowances;
    private readonly ILogger<ClientDirectory> _logger;
    private readonly IDisposable _subscription;
    private volatile State _state;

    // Factories, not a monitor: a monitor keeps quiet about settings that are wrong.
    public ClientDirectory(
        IConfiguration settings, IOptionsFactory<AccessOptions> access, IOptionsFactory<LimitsOptions> limits, ClientLimiters allowances, ILogger<ClientDirectory> logger)
    {
        (_access, _limits, _allowances, _logger) = (access, limits, allowances, logger);
        _state = Read();
        _subscription = ChangeToken.OnChange(settings.GetReloadToken, ReadAgain);
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

    public void Dispose() => _subscription.Dispose();

    private void ReadAgain()
    {
        try
        {
            _state = Read();
            Log.ReadAgain(_logger, _state.Clients.Count);
        }
        catch (Exception exception) when (exception is OptionsValidationException or InvalidOperationException)
        {
            // A value that cannot be bound is an InvalidOperationException, whose text repeats the value.
            Log.Wrong(_logger, exception is OptionsValidationException wrong ? string.Join(" ", wrong.Failures) : "A value is not of its type.");
        }
    }

    private State Read()
    {
        var access = _access.Create(Options.DefaultName);
        _allowances.Become(access, _limits.Create(Options.DefaultName));

        var clients = new Dictionary<Digest, Client>();
        foreach (var settings in access.Clients)
        {
            var client = new Client(settings.Name, RightsOf(settings), _allowances.Of(settings.Name));
            foreach (var digest in settings.Digests)
            {
                clients.Add(MemoryMarshal.Read<Digest>(Convert.FromHexString(digest)), client);
            }
        }

        return new State(
            clients.ToFrozenDictionary(),
            access.AllowAnonymous ? new Client(Client.AnonymousName, PermissionNames.Default, _allowances.Of(Client.AnonymousName)) : null);
    }

    private static Rights RightsOf(ClientOptions client) => client.Rights.Count == 0
        ? PermissionNames.Default
        : client.Rights.Aggregate(Rights.None, (rights, name) => PermissionNames.TryParse(name, out var right) ? rights | right : rights);

    private readonly record struct Digest(UInt128 High, UInt128 Low);

    private sealed record State(FrozenDictionary<Digest, Client> Clients, Client? Anonymous);

    private static partial class Log
    {
        [LoggerMessage(1001, LogLevel.Information, "The settings were read again; {Count} keys let clients in from now on.")]
        public static partial void ReadAgain(ILogger logger, int count);

        [LoggerMessage(1002, LogLevel.Warning, "The settings changed, but are wrong; the clients and limits known before stay as they are. {Faults}")]
        public static partial void Wrong(ILogger logger, string faults);
    }
}
