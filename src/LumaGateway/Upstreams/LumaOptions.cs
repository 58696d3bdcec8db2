using System.ComponentModel.DataAnnotations;
using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>The upstream accounts and the limits on requests to each of them. Bound to <c>Luma</c>.</summary>
internal sealed class LumaOptions
{
    public const string Section = "Luma";

    /// <summary>The upstream's API root, absolute http(s), such as <c>https://api.lumalabs.ai/dream-machine/v1</c>.</summary>
    public string BaseAddress { get; set => field = value ?? ""; } = "";

    /// <summary>The kind of upstream: <c>relay</c>, <c>dream-machine</c>, <c>agents</c>, <c>new-api</c> or <c>piapi</c>.</summary>
    [Required(ErrorMessage = "Luma:Dialect is required: the kind of upstream.")]
    public string Dialect { get; set => field = value ?? ""; } = "relay";

    /// <summary>
    /// The name of the upstream account in the keys of the cache and of idempotency records. Keep it when the token is rotated, and use a different one for each account. Required with Redis, which other accounts may share. Without
    /// Redis the default is the host of <see cref="BaseAddress"/>.
    /// </summary>
    [RegularExpression("^[A-Za-z0-9._-]{0,64}$", ErrorMessage = "Luma:Name must be at most 64 characters of A-Z, a-z, 0-9, '.', '_' and '-'.")]
    public string Name { get; set => field = value ?? ""; } = "";

    /// <summary>The upstream token; two, separated by a comma, while it is rotated. Never logged. This or <see cref="ApiKeyFile"/> is required.</summary>
    public string ApiKey { get; set => field = value ?? ""; } = "";

    /// <summary>A file with the upstream token, or two on two lines. It is read again when it changes.</summary>
    public string ApiKeyFile { get; set => field = value ?? ""; } = "";

    /// <summary>Several upstream accounts. The single keys above are the short form of a list of one; the two forms exclude each other.</summary>
    public IList<AccountOptions> Accounts { get; init; } = [];

    /// <summary>Allows plain http to a public host, although the network can then read the token. Private hosts are always allowed.</summary>
    public bool AllowHttp { get; set; }

    /// <summary>Whether <c>traceparent</c> is sent upstream.</summary>
    public bool PropagateTrace { get; set; }

    /// <summary>Whether the <c>user_id</c> of creates in the dialect <c>agents</c> is set to the client's name. The Agents API reports usage by it.</summary>
    public bool SendUserId { get; set; }

    /// <summary>The limit on a whole read, with all attempts and delays.</summary>
    [Duration("Luma:Deadline", "00:00:00.1", "00:05:00")]
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>The limit on one attempt, from connecting to the last byte of the body. It may apply up to 4 % earlier, because attempts share timers.</summary>
    [Duration("Luma:AttemptTimeout", "00:00:00.05", "00:05:00")]
    public TimeSpan AttemptTimeout { get; set; } = TimeSpan.FromSeconds(6);

    /// <summary>The largest number of further attempts after the first one.</summary>
    [Number("Luma:Retries", 0, 10)]
    public int Retries { get; set; } = 2;

    /// <summary>The delay before the second attempt. It doubles with each attempt and is jittered.</summary>
    [Duration("Luma:RetryDelay", "00:00:00.001", "00:00:30")]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The largest response body, in bytes, after decompression.</summary>
    [Number("Luma:MaxBodyBytes", 1024, 64 * 1024 * 1024)]
    public int MaxBodyBytes { get; set; } = 1024 * 1024;

    /// <summary>The limit of one replica on polls per second. Divide the upstream's limit by the number of replicas.</summary>
    [Number("Luma:MaxPollsPerSecond", 0.1, 100_000)]
    public double MaxPollsPerSecond { get; set; } = 50;

    /// <summary>The upstream's limit on jobs whose state is not final, over all replicas. Further creates wait. 0: no limit.</summary>
    [Number("Luma:MaxConcurrentJobs", 0, 100_000)]
    public int MaxConcurrentJobs { get; set; }

    /// <summary>The upstream's limit on creates in any 60 seconds, over all replicas. Further creates wait. 0: no limit.</summary>
    [Number("Luma:MaxCreatesPerMinute", 0, 100_000)]
    public int MaxCreatesPerMinute { get; set; }

    /// <summary>
    /// The ratio of failed attempts within <see cref="BreakerWindow"/> at which the circuit breaker opens. Repeated failures of one id count as one.
    /// </summary>
    [Number("Luma:BreakerFailureRatio", 0.01, 1.0)]
    public double BreakerFailureRatio { get; set; } = 0.5;

    /// <summary>The lowest number of attempts in the window at which the circuit breaker may open.</summary>
    [Number("Luma:BreakerMinimumCalls", 2, 10_000)]
    public int BreakerMinimumCalls { get; set; } = 10;

    /// <summary>The sampling duration of the circuit breaker.</summary>
    [Duration("Luma:BreakerWindow", "00:00:00.5", "00:10:00")]
    public TimeSpan BreakerWindow { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the circuit breaker stays open before it allows one attempt.</summary>
    [Duration("Luma:BreakerPause", "00:00:00.5", "00:10:00")]
    public TimeSpan BreakerPause { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>All accounts: those of the list, or the one of the single keys. The first one names the keys of the cache and of the ledger.</summary>
    public IReadOnlyList<AccountOptions> AllAccounts => Accounts.Count > 0
        ? [.. Accounts]
        :
        [
            new AccountOptions
            {
                Name = Name,
                BaseAddress = BaseAddress,
                Dialect = Dialect,
                ApiKey = ApiKey,
                ApiKeyFile = ApiKeyFile,
                MaxConcurrentJobs = MaxConcurrentJobs,
                MaxCreatesPerMinute = MaxCreatesPerMinute,
            },
        ];
}

[OptionsValidator]
internal sealed partial class LumaOptionsValidator : IValidateOptions<LumaOptions>;
