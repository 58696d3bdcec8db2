namespace LumaGateway.Upstreams;

/// <summary>The upstream accounts of the settings, in their order. The list is closed: it changes only with a restart.</summary>
internal sealed class UpstreamAccounts : IDisposable
{
    private readonly UpstreamAccount[] _all;

    /// <param name="all">At least one account.</param>
    public UpstreamAccounts(IEnumerable<UpstreamAccount> all)
    {
        _all = [.. all];
        Only = _all.Length == 1 ? _all[0] : null;
    }

    public IReadOnlyList<UpstreamAccount> All => _all;

    public UpstreamAccount First => _all[0];

    /// <summary>The account if there is one; null if there are several.</summary>
    public UpstreamAccount? Only { get; }

    /// <summary>Null if no account has this name.</summary>
    public UpstreamAccount? Find(string? name) => Array.Find(_all, account => account.Name == name);

    public void Dispose() => Array.ForEach(_all, static account => account.Dispose());
}
