using LumaGateway.Access;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Problems;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Assets;

/// <summary>Sends one file to one caller, or says why not. Nothing of it is held here: a slow caller slows its own download. Thread-safe.</summary>
internal sealed partial class AssetSender(
    IHttpForwarder forwarder,
    AssetClient client,
    AssetLinkRules rules,
    GenerationReader reader,
    AssetMetrics metrics,
    IOptions<AssetOptions> options,
    TimeProvider clock,
    ILogger<AssetSender> logger)
{
    /// <summary>YARP wants an address before the request is made; every request names its own.</summary>
    private const string NoPrefix = "https://asset.invalid/";

    /// <summary>A link that is about to expire may have done so when the caller gets there.</summary>
    private static readonly TimeSpan Nearly = TimeSpan.FromSeconds(30);

    private readonly ForwarderRequestConfig _config = new() { ActivityTimeout = options.Value.Silence };

    public async Task SendAsync(HttpContext context, GenerationId id, AssetKind kind, CacheEntry entry)
    {
        var generation = GenerationReader.OriginalOf(entry);
        if (!generation.IsTerminal)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.GenerationUnfinished, retryAfter: Soon(entry));
            return;
        }

        var fetch = new AssetFetch(id, kind, entry, context.TraceIdentifier, RateLimitLease.Of(context), reader);
        if (fetch.Link is null)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.AssetNotFound);
            return;
        }

        try
        {
            await (options.Value.Mode is AssetMode.Redirect ? RedirectAsync(context, fetch, generation) : StreamAsync(context, fetch));
        }
        catch (AssetRefusedException refusal)
        {
            await RefuseAsync(context, refusal);
        }
    }

    private async Task RedirectAsync(HttpContext context, AssetFetch fetch, Generation generation)
    {
        if (generation.ExpiresAt is { } expiry && expiry - Nearly < clock.GetUtcNow())
        {
            await fetch.RenewAsync(context.RequestAborted);
        }

        if (fetch.Link is not { } link)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.AssetNotFound);
            return;
        }

        context.Response.StatusCode = StatusCodes.Status307TemporaryRedirect;
        context.Response.Headers.Location = rules.Require(link).AbsoluteUri;
        context.Response.Headers.CacheControl = "no-store";
    }

    private async Task StreamAsync(HttpContext context, AssetFetch fetch)
    {
        var error = await forwarder.SendAsync(context, NoPrefix, client.Invoker, _config, new AssetTransformer(fetch));
        if (error is ForwarderError.None || context.Response.HasStarted || context.RequestAborted.IsCancellationRequested)
        {
            return;
        }

        switch (CauseOf(context.Features.Get<IForwarderErrorFeature>()?.Exception))
        {
            case AssetRefusedException refusal:
                await RefuseAsync(context, refusal);
                break;

            case UpstreamException upstream:
                await ProblemWriter.WriteAsync(context, ProblemKinds.Of(upstream.Fault), retryAfter: upstream.RetryAfter);
                break;

            default:
                var kind = error is ForwarderError.RequestTimedOut ? ProblemKinds.TimedOut : ProblemKinds.AssetUnavailable;
                Log.NotFetched(logger, error, kind.Status, context.TraceIdentifier);
                await ProblemWriter.WriteAsync(context, kind);
                break;
        }
    }

    private Task RefuseAsync(HttpContext context, AssetRefusedException refusal)
    {
        metrics.Refused();
        Log.Refused(logger, refusal.Message, context.TraceIdentifier);
        return ProblemWriter.WriteAsync(context, ProblemKinds.AssetAddressRefused);
    }

    private TimeSpan Soon(CacheEntry entry) => entry.FreshUntil - clock.GetUtcNow();

    private static Exception? CauseOf(Exception? exception) => exception is null or AssetRefusedException or UpstreamException
        ? exception
        : CauseOf(exception.InnerException);

    private static partial class Log
    {
        [LoggerMessage(4201, LogLevel.Warning, "An asset was not fetched: {Reason} (request {RequestId})")]
        public static partial void Refused(ILogger logger, string reason, string requestId);

        [LoggerMessage(4202, LogLevel.Warning, "An asset could not be fetched: {Error}; the caller was answered {Status} (request {RequestId}).")]
        public static partial void NotFetched(ILogger logger, ForwarderError error, int status, string requestId);
    }
}
