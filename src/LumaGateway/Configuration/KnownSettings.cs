using System.Collections.Frozen;

namespace LumaGateway.Configuration;

/// <summary>
/// All settings of the gateway's sections, and the types of their values. <c>#</c> is the index of a list. The table is written by hand, because native AOT has no
/// reflection over the options classes; a test compares the two.
/// </summary>
internal static class KnownSettings
{
    /// <summary>A section of .NET that contains one setting of the gateway.</summary>
    public const string Logging = "Logging";

    private static readonly (string Section, SettingKind Kind, string Names)[] Table =
    [
        ("Access", SettingKind.Boolean, "AllowAnonymous"),
        ("Access", SettingKind.OwnershipMode, "Ownership"),
        ("Access:Clients:#", SettingKind.Text, "Name KeySha256 Group Account Rights:#"),
        ("Access:Clients:#:Limits", SettingKind.Integer, "RequestsPerSecond Burst Concurrency"),
        ("Access:Jwt", SettingKind.Text, "Authority Audience ClientNameClaim RightsClaim GroupClaim"),
        ("Access:Jwt", SettingKind.Integer, "MaxTokenBytes"),
        ("Assets", SettingKind.AssetMode, "Mode"),
        ("Assets", SettingKind.Boolean, "RewriteUrls AllowHttp"),
        ("Assets", SettingKind.Text, "PublicUrl AllowedHosts:# AllowedNetworks:# Proxy"),
        ("Assets", SettingKind.Duration, "ConnectTimeout IdleTimeout"),
        ("Batch", SettingKind.Integer, "MaxIds"),
        ("Cache", SettingKind.Duration, "MemoryLifetime LockLifetime StaleIfErrorAfter StaleIfErrorRetry RedisTimeout RedisPause"),
        ("Cache", SettingKind.Integer, "MemoryBytes"),
        ("Cache", SettingKind.Text, "SigningKey SigningKeyFile"),
        ("Callbacks", SettingKind.Text, "SecretFile PublicUrl"),
        ("ConnectionStrings", SettingKind.Text, "Redis Ledger"),
        ("Cors", SettingKind.Text, "AllowedOrigins:#"),
        ("Cors", SettingKind.Duration, "TicketLifetime"),
        ("ForwardedHeaders", SettingKind.Text, "KnownProxies:# KnownNetworks:#"),
        ("ForwardedHeaders", SettingKind.Integer, "Limit"),
        ("Freshness", SettingKind.Duration, "Completed Failed SignedMargin UnreadableExpiry InterimMin InterimMax NotFound UnknownStateTimeout Stale"),
        ("Jobs", SettingKind.Duration, "Retention QueueTimeout"),
        ("Jobs", SettingKind.Integer, "LedgerReplicas"),
        ("Limits", SettingKind.Integer, "RequestsPerSecond Burst Concurrency UpstreamCost"),
        ("Limits:Upstream", SettingKind.Integer, "Concurrency Queue"),
        ("Limits:Upstream", SettingKind.Duration, "QueueTimeout"),
        (Logging, SettingKind.AccessLogMode, "AccessLog"),
        ("Luma", SettingKind.Boolean, "PropagateTrace AllowHttp SendUserId"),
        ("Luma", SettingKind.Number, "MaxPollsPerSecond BreakerFailureRatio"),
        ("Luma", SettingKind.Text, "BaseAddress Dialect Name ApiKey ApiKeyFile"),
        ("Luma:Accounts:#", SettingKind.Boolean, "Draining"),
        ("Luma:Accounts:#", SettingKind.Integer, "Weight MaxConcurrentJobs MaxCreatesPerMinute"),
        ("Luma:Accounts:#", SettingKind.Text, "Name BaseAddress Dialect ApiKey ApiKeyFile"),
        ("Luma", SettingKind.Duration, "Deadline AttemptTimeout RetryDelay BreakerWindow BreakerPause"),
        ("Luma", SettingKind.Integer, "Retries MaxBodyBytes BreakerMinimumCalls MaxConcurrentJobs MaxCreatesPerMinute"),
        ("Management", SettingKind.Integer, "Port"),
        ("Passthrough", SettingKind.Duration, "CreateTimeout IdempotencyLifetime"),
        ("Passthrough", SettingKind.Integer, "MaxBodyBytes MaxStoredBytes"),
        ("Passthrough", SettingKind.Boolean, "RequireIdempotencyKey"),
        ("Server", SettingKind.Duration, "HeaderTimeout KeepAliveTimeout ShutdownDelay ShutdownTimeout"),
        ("Server", SettingKind.Integer, "MaxBodyBytes MaxRequestLineBytes MaxHeaderBytes MaxHeaders MinBytesPerSecond MaxConnections"),
        ("Swagger", SettingKind.Boolean, "Enabled"),
        ("Waiting", SettingKind.Duration, "Longest Heartbeat PollEvery SlowAfter PollSlowest PollFloor"),
        ("Waiting", SettingKind.Integer, "Max ListFrom"),
        ("Waiting", SettingKind.Number, "ClientShare"),
    ];

    /// <summary>The type of each setting, by key.</summary>
    public static FrozenDictionary<string, SettingKind> Kinds { get; } = Table
        .SelectMany(line => line.Names.Split(' ').Select(name => KeyValuePair.Create($"{line.Section}:{name}", line.Kind)))
        .ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>The sections that only the gateway uses.</summary>
    public static FrozenSet<string> Sections { get; } = Table.Select(line => line.Section.Split(':')[0]).Where(section => section is not Logging).ToFrozenSet(StringComparer.OrdinalIgnoreCase);
}

/// <summary>The type of a setting's value.</summary>
internal enum SettingKind
{
    Text,
    Boolean,
    Integer,
    Number,
    Duration,
    AssetMode,
    AccessLogMode,
    OwnershipMode,
}
