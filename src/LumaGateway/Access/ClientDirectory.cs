using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using LumaGateway.Configuration;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace LumaGateway.Access;

/// <summary>
/// Finds a client by the SHA-256 of its key, in one lookup. A caller cannot choose the bytes of the hash, so the time of the lookup reveals nothing about a valid
/// key. Reloads changed settings; it keeps the old ones, and logs a warning, if the new ones are invalid. Thread-safe.
/// </summary>
internal sealed partial class ClientDirectory : IDisposable
{
    private const int MaxKeyLength = 512;

    private readonly IOptionsFactory<AccessOptions> _access;
    private readonly IOptionsFactory<LimitsOptions> _limits;
    private readonly ClientLimiters _limiters;
    private readonly ILogger<ClientDirectory> _logger;
    private readonly IDisposable _subscription;
    private volatile State _state;

    /// <summary>The settings files whose last load failed, with the token that their next successful load changes. Such a provider has lost the settings of its file.</summary>
    private readonly ConcurrentDictionary<FileConfigurationProvider, IChangeToken> _unreadable = new();

    // Factories instead of IOptionsMonitor: a monitor does not report invalid settings.
    public ClientDirectory(
        IConfiguration settings, IOptionsFactory<AccessOptions> access, IOptionsFactory<LimitsOptions> limits, ClientLimiters limiters, ILogger<ClientDirectory> logger)
    {
        (_access, _limits, _limiters, _logger) = (access, limits, limiters, logger);
        _state = StateOf(_access.Create(Options.DefaultName), _limits.Create(Options.DefaultName));
        foreach (var file in ((IConfigurationRoot)settings).Providers.OfType<FileConfigurationProvider>())
        {
            // A file that cannot be parsed changes no reload token. The exception is not ignored: the provider would then reload without the file's settings.
            file.Source.OnLoadException = error =>
            {
                _unreadable[file] = file.GetReloadToken();
                Log.Invalid(_logger, SettingsFileError.TextOf(error.Exception));
            };
        }

        _subscription = ChangeToken.OnChange(settings.GetReloadToken, Reload);
    }

    /// <summary>The client of requests without a credential; null if they are not allowed.</summary>
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

    /// <summary>The client with this name in the settings, or the anonymous client; null if there is none.</summary>
    public Client? FindByName(string name) => name is Client.AnonymousName ? Anonymous : _state.Clients.Values.FirstOrDefault(client => client.Name == name);

    public void Dispose() => _subscription.Dispose();

    private void Reload()
    {
        foreach (var repaired in _unreadable.Where(static pair => pair.Value.HasChanged))
        {
            _unreadable.TryRemove(repaired);
        }

        try
        {
            var (access, limits) = (_access.Create(Options.DefaultName), _limits.Create(Options.DefaultName));
            if (!_unreadable.IsEmpty) // after the settings are read: a file may become unreadable meanwhile
            {
                Log.Invalid(_logger, "Another settings file still cannot be read.");
                return;
            }

            _state = StateOf(access, limits);
            Log.Reloaded(_logger, _state.Clients.Count);
        }
        catch (Exception exception) when (exception is OptionsValidationException or InvalidOperationException)
        {
            // The message of an InvalidOperationException contains the value that cannot be bound.
            Log.Invalid(_logger, exception is OptionsValidationException invalid ? string.Join(" ", invalid.Failures) : "A value has the wrong type.");
        }
    }

    private State StateOf(AccessOptions access, LimitsOptions limits)
    {
        _limiters.Update(access, limits);

        var clients = new Dictionary<Digest, Client>();
        foreach (var settings in access.Clients)
        {
            var client = new Client(settings.Name, PermissionsOf(settings), _limiters.Of(settings.Name))
            {
                Group = settings.Group.Length > 0 ? settings.Group : settings.Name,
                Account = settings.Account.Length > 0 ? settings.Account : null,
            };
            foreach (var digest in settings.Digests)
            {
                clients.Add(MemoryMarshal.Read<Digest>(Convert.FromHexString(digest)), client);
            }
        }

        return new State(
            clients.ToFrozenDictionary(),
            access.AllowAnonymous ? new Client(Client.AnonymousName, PermissionNames.Default, _limiters.Of(Client.AnonymousName)) : null);
    }

    private static Permissions PermissionsOf(ClientOptions client) => client.Rights.Count == 0
        ? PermissionNames.Default
        : client.Rights.Aggregate(Permissions.None, (permissions, name) => PermissionNames.TryParse(name, out var permission) ? permissions | permission : permissions);

    private readonly record struct Digest(UInt128 High, UInt128 Low);

    private sealed record State(FrozenDictionary<Digest, Client> Clients, Client? Anonymous);

    private static partial class Log
    {
        [LoggerMessage(1001, LogLevel.Information, "Settings reloaded: {Count} client keys are valid.")]
        public static partial void Reloaded(ILogger logger, int count);

        [LoggerMessage(1002, LogLevel.Warning, "The changed settings are invalid. The gateway keeps its current clients and limits. {Faults}")]
        public static partial void Invalid(ILogger logger, string faults);
    }
}
