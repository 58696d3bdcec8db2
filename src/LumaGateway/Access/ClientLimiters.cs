using System.Collections.Concurrent;

namespace LumaGateway.Access;

/// <summary>
/// The allowance of every client by its name, whichever of its credentials it uses. Allowances outlive a reload of the settings. Bounded: of
/// clients known from JWTs alone, the idle are forgotten once there are many. Thread-safe.
/// </summary>
internal sealed class ClientLimiters(TimeProvider clock)
{
    private const int Most = 10_000;

    private readonly ConcurrentDictionary<string, ClientLimiter> _byName = new(StringComparer.Ordinal);
    private volatile Settings? _settings;

    public int Count => _byName.Count;

    /// <summary>Requests of all clients that are under way, waiters not counted.</summary>
    public int Present => _byName.Sum(static client => client.Value.Present);

    /// <summary>Takes over what the settings say; clients not among them have the limits of everybody.</summary>
    public void Become(AccessOptions access, LimitsOptions limits)
    {
        var settings = new Settings(
            access.Clients.ToDictionary(client => client.Name, client => limits.For(client.Limits), StringComparer.Ordinal),
            limits.For(new ClientLimitsOptions()));
        _settings = settings;
        foreach (var (name, allowance) in _byName)
        {
            allowance.Become(settings.For(name));
        }
    }

    public ClientLimiter Of(string name)
    {
        if (_byName.TryGetValue(name, out var known))
        {
            return known;
        }

        if (_byName.Count >= Most)
        {
            ForgetIdle();
        }

        return _byName.GetOrAdd(name, static (name, all) => new ClientLimiter(all.clock, all.settings.For(name)), (clock, settings: _settings!));
    }

    private void ForgetIdle()
    {
        foreach (var client in _byName)
        {
            if (client.Value.IsIdle && _settings?.ByName.ContainsKey(client.Key) is not true)
            {
                _byName.TryRemove(client);
            }
        }
    }

    private sealed record Settings(IReadOnlyDictionary<string, ClientLimits> ByName, ClientLimits Everybody)
    {
        public ClientLimits For(string name) => ByName.TryGetValue(name, out var own) ? own : Everybody;
    }
}
