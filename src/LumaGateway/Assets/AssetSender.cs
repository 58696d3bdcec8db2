using LumaGateway.Access;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Problems;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Assets;

/// <summary>Sends a file to a caller, or a problem. The file is not buffered: a slow caller slows down only its own download. Thread-safe.</summary>
internal sealed partial class AssetSender(
    AssetClient client,
    AssetLinkRules rules,
    GenerationReader reader,
    AssetMetrics metrics,
    IOptions<AssetOptions> options,
    TimeProvider clock,
    ILogger<AssetSender> logger)
{
    /// <summary>A link that expires within this time is renewed, because it may expire before the caller uses it.</summary>
    private static readonly TimeSpan ExpiryMargin = TimeSpan.FromSeconds(30);

    public async Task SendAsync(HttpContext context, GenerationId id, AssetSelector selector, CacheEntry entry)
    {
        var generation = GenerationReader.OriginalOf(entry);
        if (!generation.IsFinal)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.GenerationUnfinished, retryAfter: TimeUntilRefresh(entry));
            return;
        }

        var download = new AssetDownload(id, selector, entry, generation, context.TraceIdentifier, RateLimitLease.Of(context), reader);
        if (download.Link is null)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.AssetNotFound);
            return;
        }

        try
        {
            await (options.Value.Mode is AssetMode.Redirect ? RedirectAsync(context, download, generation) : StreamAsync(context, download));
        }
        catch (AssetLinkRefusedException refusal)
        {
            await RefuseAsync(context, refusal);
        }
    }

    private async Task RedirectAsync(HttpContext context, AssetDownload download, Generation generation)
    {
        if (generation.ExpiresAt is { } expiry && expiry - ExpiryMargin < clock.GetUtcNow())
        {
            await download.RenewLinkAsync(context.RequestAborted);
        }

        if (download.Link is not { } link)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.AssetNotFound);
            return;
        }

        context.Response.StatusCode = StatusCodes.Status307TemporaryRedirect;
        context.Response.Headers.Location = rules.EnsureAllowed(link).AbsoluteUri;
        context.Response.Headers.CacheControl = "no-store";
    }

    private async Task StreamAsync(HttpContext context, AssetDownload download)
    {
        var error = await client.SendAsync(context, download);
        if (error is ForwarderError.None || context.Response.HasStarted)
        {
            return;
        }

        context.RequestAborted.ThrowIfCancellationRequested();

        switch (CauseOf(context.Features.Get<IForwarderErrorFeature>()?.Exception))
        {
            case AssetLinkRefusedException refusal:
                await RefuseAsync(context, refusal);
                break;

            case UpstreamException upstream:
                await ProblemWriter.WriteAsync(context, ProblemKinds.Of(upstream.Fault), retryAfter: upstream.RetryAfter);
                break;

            default:
                var kind = error is ForwarderError.RequestTimedOut ? ProblemKinds.TimedOut : ProblemKinds.AssetUnavailable;
                Log.FetchFailed(logger, error, kind.Status, context.TraceIdentifier);
                await ProblemWriter.WriteAsync(context, kind);
                break;
        }
    }

    private Task RefuseAsync(HttpContext context, AssetLinkRefusedException refusal)
    {
        metrics.Refused();
        Log.Refused(logger, refusal.Message, context.TraceIdentifier);
        return ProblemWriter.WriteAsync(context, ProblemKinds.AssetAddressRefused);
    }

    private TimeSpan TimeUntilRefresh(CacheEntry entry) => entry.FreshUntil - clock.GetUtcNow();

    private static Exception? CauseOf(Exception? exception) => exception is null or AssetLinkRefusedException or UpstreamException
        ? exception
        : CauseOf(exception.InnerException);

    private static partial class Log
    {
        [LoggerMessage(4201, LogLevel.Warning, "The link of an asset is not allowed, so the asset was not fetched: {Reason} See docs/assets.md (request {RequestId}).")]
        public static partial void Refused(ILogger logger, string reason, string requestId);

        [LoggerMessage(4202, LogLevel.Warning, "Fetching an asset failed: {Error}. The caller gets status {Status} (request {RequestId}).")]
        public static partial void FetchFailed(ILogger logger, ForwarderError error, int status, string requestId);
    }
}
