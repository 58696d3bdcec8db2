using LumaGateway.Contracts;

namespace LumaGateway.Upstreams;

/// <summary>Knows which account an id belongs to: from memory, else from the records that all replicas share. With one account it looks up nothing. Thread-safe.</summary>
internal sealed class AccountDirectory(UpstreamAccounts accounts, IAccountRecords records)
{
    /// <summary>About 200 bytes an id.</summary>
    private const int RecentIds = 50_000;

    private readonly RecentAccounts _recent = new(RecentIds);

    /// <summary>The id's account if there is only one account, or if it is in memory; otherwise null.</summary>
    public UpstreamAccount? FindInMemory(GenerationId id) => accounts.Only ?? _recent.Find(id);

    /// <summary>The id's account; null if it is not known, or is no longer in the settings.</summary>
    public async ValueTask<UpstreamAccount?> FindAsync(GenerationId id)
    {
        if (FindInMemory(id) is { } recent)
        {
            return recent;
        }

        if (accounts.Find(await records.FindAccountAsync(id)) is not { } recorded)
        {
            return null;
        }

        _recent.Add(id, recorded);
        return recorded;
    }

    /// <summary>Remembers the account of an id in this process.</summary>
    public void Remember(GenerationId id, UpstreamAccount account)
    {
        if (accounts.Only is null)
        {
            _recent.Add(id, account);
        }
    }

    /// <summary>Remembers the account of an id that a search found, for all replicas.</summary>
    public Task RecordFoundAsync(GenerationId id, UpstreamAccount account)
    {
        Remember(id, account);
        return records.RecordFoundAsync(id, account);
    }
}
