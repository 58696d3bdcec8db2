using System.ComponentModel.DataAnnotations;
using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>The upstream and how hard it is asked. Bound to <c>Luma</c>.</summary>
internal sealed class LumaOptions
{
    public const string Section = "Luma";

    /// <summary>The upstream's API root, absolute http(s), such as <c>https://api.lumalabs.ai/dream-machine/v1</c>.</summary>
    public string BaseAddress { get; set; } = "";

    /// <summary>The name of the upstream's dialect.</summary>
    [Required]
    public string Dialect { get; set; } = "relay";

    /// <summary>Names the upstream account in the keys of the cache and of the ledger. Required with Redis, which other accounts may share; else the host of <see cref="BaseAddress"/>.</summary>
    [RegularExpression("^[A-Za-z0-9._-]{0,64}$", ErrorMessage = "Luma:Name must be at most 64 characters of A-Z, a-z, 0-9, '.', '_' and '-'.")]
    public string Name { get; set; } = "";

    /// <summary>The upstream token. Never logged.</summary>
    public string ApiKey { get; set; } = "";

    /// <summary>A file that holds the upstream token; read again when it changes.</summary>
    public string ApiKeyFile { get; set; } = "";

    /// <summary>Lets a public host be asked over plain http, where anybody on the way can read the token.</summary>
    public bool AllowHttp { get; set; }

    /// <summary>Whether <c>traceparent</c> is sent upstream.</summary>
    public bool PropagateTrace { get; set; }

    /// <summary>The limit on a caller's whole way, every retry and wait included.</summary>
    [Duration("Luma:Deadline", "00:00:00.1", "00:05:00")]
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>The limit on one try, from connecting to the last byte of the body.</summary>
    [Duration("Luma:AttemptTimeout", "00:00:00.05", "00:05:00")]
    public TimeSpan AttemptTimeout { get; set; } = TimeSpan.FromSeconds(6);

    /// <summary>How often a read is tried again after its first try failed.</summary>
    [Number("Luma:Retries", 0, 10)]
    public int Retries { get; set; } = 2;

    /// <summary>The first wait before trying again; it doubles each time and is jittered.</summary>
    [Duration("Luma:RetryDelay", "00:00:00.001", "00:00:30")]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The largest answer read, in bytes, after decompression.</summary>
    [Number("Luma:MaxBodyBytes", 1024, 64 * 1024 * 1024)]
    public int MaxBodyBytes { get; set; } = 1024 * 1024;

    /// <summary>The deepest nesting of JSON read.</summary>
    [Number("Luma:MaxDepth", 8, 1000)]
    public int MaxDepth { get; set; } = 64;

    /// <summary>How often all replicas together may ask about generations that callers wait for.</summary>
    [Number("Luma:MaxPollsPerSecond", 0.1, 100_000)]
    public double MaxPollsPerSecond { get; set; } = 50;

    /// <summary>
    /// The share of failing tries, over <see cref="BreakerWindow"/>, at which the breaker opens. Tries of one id that keep failing count as one.
    /// </summary>
    [Number("Luma:BreakerFailureRatio", 0.01, 1.0)]
    public double BreakerFailureRatio { get; set; } = 0.5;

    /// <summary>How many tries there must be in the window before the breaker may open.</summary>
    [Number("Luma:BreakerMinimumCalls", 2, 10_000)]
    public int BreakerMinimumCalls { get; set; } = 10;

    /// <summary>The time over which the breaker counts.</summary>
    [Duration("Luma:BreakerWindow", "00:00:00.5", "00:10:00")]
    public TimeSpan BreakerWindow { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the breaker stays open before it lets one try through.</summary>
    [Duration("Luma:BreakerPause", "00:00:00.5", "00:10:00")]
    public TimeSpan BreakerPause { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary><see cref="BaseAddress"/> with one trailing slash, so that relative paths stay below it.</summary>
    public Uri Root => new(BaseAddress.TrimEnd('/') + "/");

    /// <summary>The account's name in cache keys and telemetry.</summary>
    public string AccountName => Name.Length > 0 ? Name : Root.Host;
}

[OptionsValidator]
internal sealed partial class LumaOptionsValidator : IValidateOptions<LumaOptions>;
