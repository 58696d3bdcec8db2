using System.Collections.Concurrent;

namespace LumaGateway.Access;

/// <summary>
/// The limiters of all clients, by name; all credentials of a client share one. A reload of the settings keeps them. When there are many, idle ones of clients
/// that are not in the settings are removed. Thread-safe.
/// </summary>
internal sealed class ClientLimiters(TimeProvider clock)
{
    private const int MaxCount = 10_000;

    private readonly ConcurrentDictionary<string, ClientLimiter> _byName = new(StringComparer.Ordinal);
    private volatile Settings? _settings;

    /// <summary>Active requests of all clients, without waiters.</summary>
    public int ActiveRequests => _byName.Sum(static client => client.Value.ActiveRequests);

    /// <summary>Applies the settings. A client that is not in them gets the default limits.</summary>
    public void Update(AccessOptions access, LimitsOptions limits)
    {
        var settings = new Settings(
            access.Clients.ToDictionary(client => client.Name, client => limits.For(client.Limits), StringComparer.Ordinal),
            limits.For(new ClientLimitsOptions()));
        _settings = settings;
        foreach (var (name, limiter) in _byName)
        {
            limiter.Update(settings.For(name));
        }
    }

    public ClientLimiter Of(string name)
    {
        if (_byName.TryGetValue(name, out var known))
        {
            return known;
        }

        if (_byName.Count >= MaxCount)
        {
            RemoveIdle();
        }

        return _byName.GetOrAdd(name, static (name, all) => new ClientLimiter(all.clock, all.settings.For(name)), (clock, settings: _settings!));
    }

    private void RemoveIdle()
    {
        foreach (var client in _byName)
        {
            if (client.Value.IsIdle && _settings?.ByName.ContainsKey(client.Key) is not true)
            {
                _byName.TryRemove(client);
            }
        }
    }

    private sealed record Settings(IReadOnlyDictionary<string, ClientLimits> ByName, ClientLimits Default)
    {
        public ClientLimits For(string name) => ByName.TryGetValue(name, out var limits) ? limits : Default;
    }
}
