using System.Collections.Frozen;

namespace LumaGateway.Configuration;

/// <summary>
/// Every setting of the gateway's own sections, and what kind of value it takes. A test compares it with the options classes. A list's index is <c>#</c>.
/// Written down, as native code could not look for it.
/// </summary>
internal static class KnownSettings
{
    private static readonly (string Section, SettingKind Kind, string Names)[] Table =
    [
        ("Access", SettingKind.Flag, "AllowAnonymous"),
        ("Access:Clients:#", SettingKind.Text, "Name KeySha256 Rights:#"),
        ("Access:Clients:#:Limits", SettingKind.Whole, "RequestsPerSecond Burst Concurrency"),
        ("Access:Jwt", SettingKind.Text, "Authority Audience ClientNameClaim RightsClaim"),
        ("Access:Jwt", SettingKind.Whole, "MaxTokenBytes"),
        ("Assets", SettingKind.AssetMode, "Mode"),
        ("Assets", SettingKind.Flag, "RewriteUrls AllowHttp"),
        ("Assets", SettingKind.Text, "PublicUrl AllowedHosts:# AllowedNetworks:# Proxy"),
        ("Assets", SettingKind.Time, "ConnectTimeout Silence"),
        ("Batch", SettingKind.Whole, "MaxIds Parallel"),
        ("Cache", SettingKind.Time, "MemoryLifetime LockLifetime CoverAfter CoverRetry RedisTimeout RedisPause"),
        ("Cache", SettingKind.Whole, "MemoryBytes"),
        ("Cache", SettingKind.Text, "SigningKey SigningKeyFile"),
        ("Callbacks", SettingKind.Text, "SecretFile PublicUrl"),
        ("ConnectionStrings", SettingKind.Text, "Redis Ledger"),
        ("ForwardedHeaders", SettingKind.Text, "KnownProxies:# KnownNetworks:#"),
        ("ForwardedHeaders", SettingKind.Whole, "Limit"),
        ("Freshness", SettingKind.Time, "Completed Failed SignedMargin UnreadableExpiry UnfinishedMin UnfinishedMax NotFound Stale"),
        ("Limits", SettingKind.Whole, "RequestsPerSecond Burst Concurrency UpstreamCost"),
        ("Limits:Upstream", SettingKind.Whole, "Concurrency Queue"),
        ("Limits:Upstream", SettingKind.Time, "QueueTimeout"),
        ("Luma", SettingKind.Flag, "PropagateTrace AllowHttp"),
        ("Luma", SettingKind.Number, "MaxPollsPerSecond BreakerFailureRatio"),
        ("Luma", SettingKind.Text, "BaseAddress Dialect Name ApiKey ApiKeyFile"),
        ("Luma", SettingKind.Time, "Deadline AttemptTimeout RetryDelay BreakerWindow BreakerPause"),
        ("Luma", SettingKind.Whole, "Retries MaxBodyBytes MaxDepth BreakerMinimumCalls"),
        ("Management", SettingKind.Whole, "Port"),
        ("Passthrough", SettingKind.Time, "CreateTimeout IdempotencyLifetime"),
        ("Passthrough", SettingKind.Whole, "MaxRequestBytes"),
        ("Server", SettingKind.Time, "HeaderTimeout KeepAliveTimeout ShutdownDelay ShutdownTimeout"),
        ("Server", SettingKind.Whole, "MaxBodyBytes MaxRequestLineBytes MaxHeaderBytes MaxHeaders MinBytesPerSecond MaxConnections MaxStreamsPerConnection"),
        ("Swagger", SettingKind.Flag, "Enabled"),
        ("Waiting", SettingKind.Time, "Longest Heartbeat PollEvery SlowAfter PollSlowest PollFloor"),
        ("Waiting", SettingKind.Whole, "Max ListFrom"),
        ("Waiting", SettingKind.Number, "ClientShare"),
    ];

    /// <summary>Each setting's kind, by its key.</summary>
    public static FrozenDictionary<string, SettingKind> Kinds { get; } = Table
        .SelectMany(line => line.Names.Split(' ').Select(name => KeyValuePair.Create($"{line.Section}:{name}", line.Kind)))
        .ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>The sections that are the gateway's alone.</summary>
    public static FrozenSet<string> Sections { get; } = Table.Select(line => line.Section.Split(':')[0]).ToFrozenSet(StringComparer.OrdinalIgnoreCase);
}

/// <summary>What the value of a setting is.</summary>
internal enum SettingKind
{
    Text,
    Flag,
    Whole,
    Number,
    Time,
    AssetMode,
}
