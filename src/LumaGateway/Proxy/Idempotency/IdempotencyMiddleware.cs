using System.Buffers;
using LumaGateway.Access;
using LumaGateway.Problems;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Proxy.Idempotency;

/// <summary>
/// Sends a POST with an <c>Idempotency-Key</c> to the upstream once. A repetition gets the recorded response; a create with an unknown outcome is never sent
/// again. A create that was sent runs to its end even if its caller disconnects.
/// </summary>
internal sealed class IdempotencyMiddleware(
    RequestDelegate next, IdempotencyLedger ledger, CreateJobs jobs, BodySpooler spooler, ProxyMetrics metrics, IOptions<PassthroughOptions> options, TimeProvider clock)
{
    public const string KeyHeader = "Idempotency-Key";
    public const string ReplayedHeader = "Idempotency-Replayed";

    private const int MaxKeyLength = 255;
    private const int MaxResponseBytes = 1024 * 1024;

    private const string StoreFullAdvice =
        "Records expire after Passthrough:IdempotencyLifetime. With ConnectionStrings:Redis the records are in Redis, where this limit does not apply.";

    private static readonly TimeSpan RunningRetryAfter = TimeSpan.FromSeconds(2);

    private static readonly SearchValues<char> VisibleAscii = SearchValues.Create([.. Enumerable.Range('!', '~' - '!' + 1).Select(c => (char)c)]);

    /// <summary>The headers that are recorded: those that describe the response and not the single exchange.</summary>
    private static readonly string[] RecordedHeaders =
    [
        HeaderNames.ContentType, HeaderNames.ContentLanguage, HeaderNames.ContentEncoding, HeaderNames.ContentDisposition, HeaderNames.ETag,
        HeaderNames.LastModified, HeaderNames.CacheControl, HeaderNames.Location, ShouldRetryHeader.Name,
    ];

    public Task InvokeAsync(HttpContext context)
    {
        var keys = context.Request.Headers[KeyHeader];
        if (!HttpMethods.IsPost(context.Request.Method) || keys.Count == 0)
        {
            return options.Value.RequireIdempotencyKey && CreateRequest.Is(context)
                ? ProblemWriter.WriteAsync(context, ProblemKinds.IdempotencyKeyRequired)
                : next(context);
        }

        return keys is [{ Length: > 0 and <= MaxKeyLength } key] && !key.AsSpan().ContainsAnyExcept(VisibleAscii)
            ? ProcessAsync(context, key)
            : ProblemWriter.WriteAsync(context, ProblemKinds.InvalidRequest, $"{KeyHeader} must be one value of 1 to {MaxKeyLength} visible ASCII characters.");
    }

    private async Task ProcessAsync(HttpContext context, string key)
    {
        if (await spooler.ReadAsync(context) is { } body)
        {
            await using (body)
            {
                await ProcessAsync(context, key, body);
            }
        }
    }

    private async Task ProcessAsync(HttpContext context, string key, SpooledBody body)
    {
        IdempotencyClaim claim;
        try
        {
            var client = RateLimitLease.Of(context)!.Client;
            string[] subject = [client.Name, CanonicalPath.Of(context, lowercaseCatchAll: true), key];
            string[] previousSubject = [client.Name, context.Request.Method, context.Request.Path.ToString(), key];
            var attempt = CreateRequest.Is(context) ? jobs.CreateAttempt(client, ProxyAccount.Of(context)!, IdempotencyLedger.DigestOf(subject)) : null;
            claim = await ledger.ClaimAsync(client.Name, subject, body.Fingerprint, previousSubject, attempt);
        }
        catch (IdempotencyStoreFullException full)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.IdempotencyUnavailable, $"{full.Message}, so nothing was sent to the upstream. {StoreFullAdvice}");
            return;
        }
        catch (IdempotencyStoreUnavailableException)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.IdempotencyUnavailable);
            return;
        }

        await (claim.IsAcquired ? CreateAsync(context, claim, body) : RespondToRepetitionAsync(context, claim.Record, body.Fingerprint));
    }

    private async Task RespondToRepetitionAsync(HttpContext context, IdempotencyRecord record, string fingerprint)
    {
        if (record.Fingerprint != fingerprint)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.IdempotencyKeyReused);
        }
        else if (record.Response is { } recorded)
        {
            metrics.Replayed();
            await ReplayAsync(context.Response, recorded);
        }
        else if (ledger.IsRunning(record))
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.CreateInProgress, retryAfter: RunningRetryAfter);
        }
        else
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.OutcomeUnknown);
        }
    }

    private async Task CreateAsync(HttpContext context, IdempotencyClaim claim, SpooledBody body)
    {
        byte[] responseBody;
        try
        {
            responseBody = await ForwardAsync(context, claim, body);
        }
        catch
        {
            await (CreateOutcomes.MayHaveRun(context) ? ledger.RecordUnknownAsync(claim) : ledger.ReleaseAsync(claim));
            throw;
        }

        if (context.Features.Get<IForwarderErrorFeature>() is null && responseBody.Length > 0)
        {
            context.Response.ContentLength = responseBody.Length;
            await context.Response.Body.WriteAsync(responseBody, context.RequestAborted);
        }
    }

    /// <summary>Sends the create, records its outcome, and returns the response's body. The response to the caller does not start before the outcome is recorded.</summary>
    private async Task<byte[]> ForwardAsync(HttpContext context, IdempotencyClaim claim, SpooledBody body)
    {
        BodySpooler.Send(context, body);
        context.Request.Headers.AcceptEncoding = "identity"; // the id is read from the body, and a repetition may not accept the encoding of the first request

        byte[] responseBody;
        using (var captured = new CapturedResponse(context, MaxResponseBytes, options.Value.CreateTimeout, clock))
        {
            await next(context);
            responseBody = captured.Body;
        }

        var outcome = CreateOutcomes.Of(context);
        var change = claim.Attempt is { } attempt ? jobs.End(context, attempt, ProxyAccount.Of(context)!, outcome, responseBody) : null;
        await (outcome switch
        {
            CreateOutcome.Settled => ledger.RecordResponseAsync(claim, new RecordedResponse(context.Response.StatusCode, HeadersOf(context.Response), responseBody), change),
            CreateOutcome.Refused => ledger.ReleaseAsync(claim),
            _ => ledger.RecordUnknownAsync(claim, change),
        });
        await jobs.BindSlotAsync(context, change);

        return responseBody;
    }

    private static Task ReplayAsync(HttpResponse response, RecordedResponse recorded)
    {
        response.StatusCode = recorded.Status;
        foreach (var (name, value) in recorded.Headers)
        {
            response.Headers[name] = value;
        }

        response.Headers[ReplayedHeader] = "true";
        if (recorded.Body.Length == 0)
        {
            response.HttpContext.Features.Get<IStatusCodePagesFeature>()?.Enabled = false;
            return Task.CompletedTask;
        }

        response.ContentLength = recorded.Body.Length;
        return response.Body.WriteAsync(recorded.Body, response.HttpContext.RequestAborted).AsTask();
    }

    private static Dictionary<string, string> HeadersOf(HttpResponse response) =>
        RecordedHeaders.Where(response.Headers.ContainsKey).ToDictionary(name => name, name => response.Headers[name].ToString());
}
