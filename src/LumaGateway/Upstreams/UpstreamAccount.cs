using System.Diagnostics.Metrics;
using LumaGateway.Problems;
using LumaGateway.Time;
using LumaGateway.Upstreams.Dialects;
using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>
/// One upstream account, with its own dialect, token, circuit breaker, <c>Retry-After</c> holds, concurrency limit and metrics. Accounts share only the connection
/// pool. Thread-safe.
/// </summary>
internal sealed class UpstreamAccount : IDisposable
{
    /// <summary>The name of the HTTP client, whose handler all accounts share.</summary>
    public const string HttpClientName = "upstream";

    /// <summary>How long an account gets no creates after the upstream refused it. Then one create is tried, because an account without reads has no other sign of recovery.</summary>
    private static readonly TimeSpan RefusalPause = TimeSpan.FromSeconds(30);

    private readonly TimeSpan _breakerPause;

    /// <summary>The name of a single account without <c>Luma:Name</c>. Metrics and logs must not contain its host.</summary>
    public const string Unnamed = "default";

    public UpstreamAccount(
        AccountOptions options, IOptions<LumaOptions> luma, IOptions<UpstreamLimitsOptions> limits, IMeterFactory meters, MonotonicClock clock, ILoggerFactory loggers,
        IHttpMessageHandlerFactory handlers)
    {
        Options = options;
        _breakerPause = luma.Value.BreakerPause;
        Name = options.Name.Length > 0 ? options.Name : Unnamed;
        Root = options.Root;
        Dialect = KnownDialects.Create(new Lazy<Uri>(Root)).Single(dialect => dialect.Name == options.Dialect);
        Tokens = new UpstreamTokenSource(Name, options, clock, loggers.CreateLogger<UpstreamTokenSource>());
        State = new UpstreamState(clock);
        Acceptance = new UpstreamAccountState(Name, State, loggers.CreateLogger<UpstreamAccountState>());
        Hold = new RetryAfterHold(clock);
        CreateHold = new RetryAfterHold(clock);
        Limiter = new UpstreamConcurrencyLimiter(limits, luma, clock);
        Metrics = new UpstreamMetrics(meters, Name);
        Drift = new DriftMetrics(meters, Name, Dialect.Name);
        Client = new UpstreamClient(
            new UpstreamTransport(CreateInvoker(handlers), this, luma.Value, clock),
            new UpstreamPipeline(luma.Value, this, clock, loggers.CreateLogger<UpstreamPipeline>()),
            this,
            new DriftDetector(Drift, Dialect.Name, loggers.CreateLogger<DriftDetector>()));
        var connections = new NoImplicitRetryHandler(handlers.CreateHandler(HttpClientName));
        Sender = new UpstreamSender(
            new HttpMessageInvoker(new ConcurrencyHandler(this) { InnerHandler = new CredentialHandler(this) { InnerHandler = connections } }, disposeHandler: false), this, luma.Value, clock);
    }

    public AccountOptions Options { get; }

    /// <summary>The name in metrics, logs, the ledger and <c>X-Luma-Account</c>.</summary>
    public string Name { get; }

    /// <summary>The API root, with a trailing slash.</summary>
    public Uri Root { get; }

    public IUpstreamDialect Dialect { get; }

    public UpstreamTokenSource Tokens { get; }

    public UpstreamState State { get; }

    public UpstreamAccountState Acceptance { get; }

    /// <summary>Suspends the reads of the account.</summary>
    public RetryAfterHold Hold { get; }

    /// <summary>Suspends the creates that are chosen by weight.</summary>
    public RetryAfterHold CreateHold { get; }

    public UpstreamConcurrencyLimiter Limiter { get; }

    public UpstreamMetrics Metrics { get; }

    public DriftMetrics Drift { get; }

    public UpstreamClient Client { get; }

    public UpstreamSender Sender { get; }

    /// <summary>
    /// Whether the account is healthy and below its limits: its circuit breaker is closed, the upstream does not refuse it, no <c>Retry-After</c> holds it, and no request waits for a
    /// connection. An open breaker and a refusal count for a limited time, because only a request shows that they have ended.
    /// </summary>
    public bool AcceptsCreates =>
        !(State.BreakerOpenFor < _breakerPause) && !(State.RefusedFor < RefusalPause)
        && Hold.Remaining == TimeSpan.Zero && CreateHold.Remaining == TimeSpan.Zero && Limiter.Queued == 0;

    /// <summary>Records that the upstream refused the account, or was not reached, so that the next creates go to other accounts for a time.</summary>
    /// <param name="fault">The reason.</param>
    /// <param name="retryAfter">The upstream's <c>Retry-After</c>.</param>
    public void RecordRefusal(UpstreamFault fault, TimeSpan? retryAfter)
    {
        Metrics.RecordFault(fault);
        if (fault is UpstreamFault.TokenRefused or UpstreamFault.OutOfCredit)
        {
            Acceptance.MarkRefused(fault);
        }
        else
        {
            CreateHold.Start(retryAfter ?? _breakerPause);
        }
    }

    public void Dispose() => Limiter.Dispose();

    /// <summary>An <see cref="HttpMessageInvoker"/>, because an HTTP client adds a time limit, which the pipeline already has.</summary>
    private HttpMessageInvoker CreateInvoker(IHttpMessageHandlerFactory handlers) =>
        new(new CredentialHandler(this) { InnerHandler = handlers.CreateHandler(HttpClientName) }, disposeHandler: false);
}
