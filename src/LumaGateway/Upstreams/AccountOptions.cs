namespace LumaGateway.Upstreams;

/// <summary>One upstream account. Bound to <c>Luma:Accounts:&lt;n&gt;</c>.</summary>
internal sealed class AccountOptions
{
    /// <summary>The account's name in settings, metrics, <c>X-Luma-Account</c> and the ledger: 1 to 64 characters of <c>A-Z a-z 0-9 . _ -</c>. Keep it when the token is rotated.</summary>
    public string Name { get; set => field = value ?? ""; } = "";

    /// <summary>The upstream's API root, as <see cref="LumaOptions.BaseAddress"/>.</summary>
    public string BaseAddress { get; set => field = value ?? ""; } = "";

    /// <summary>The kind of upstream, as <see cref="LumaOptions.Dialect"/>.</summary>
    public string Dialect { get; set => field = value ?? ""; } = "relay";

    /// <summary>The account's token, as <see cref="LumaOptions.ApiKey"/>. Never logged. This or <see cref="ApiKeyFile"/> is required.</summary>
    public string ApiKey { get; set => field = value ?? ""; } = "";

    /// <summary>A file with the account's token, as <see cref="LumaOptions.ApiKeyFile"/>.</summary>
    public string ApiKeyFile { get; set => field = value ?? ""; } = "";

    /// <summary>The account's share of creates, relative to the other accounts: 1 to 1000.</summary>
    public int Weight { get; set; } = 1;

    /// <summary>The account's limit on jobs whose state is not final, over all replicas: 0 to 100000. Further creates wait. 0: no limit.</summary>
    public int MaxConcurrentJobs { get; set; }

    /// <summary>The largest number of creates per minute on the account, over all replicas: 0 to 100000. 0: no limit.</summary>
    public int MaxCreatesPerMinute { get; set; }

    /// <summary>Whether the account gets no more creates. Reads, assets and deletes of its generations continue.</summary>
    public bool Draining { get; set; }

    /// <summary><see cref="BaseAddress"/> with one trailing slash, as the base of relative paths.</summary>
    public Uri Root => new(BaseAddress.TrimEnd('/') + "/");
}
