using LumaGateway.Access;
using LumaGateway.Jobs;
using LumaGateway.Problems;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Upstreams;
using Microsoft.AspNetCore.Http.Features;

namespace LumaGateway.Proxy;

/// <summary>
/// Records the job of a create without an <c>Idempotency-Key</c>: before it is sent, and again before its caller gets the response. <see cref="IdempotencyMiddleware"/>
/// records the others.
/// </summary>
internal sealed class JobMiddleware(RequestDelegate next, IJobLedger ledger, CreateJobs jobs, Ownership ownership)
{
    public Task InvokeAsync(HttpContext context) =>
        CreateRequest.Is(context) && !context.Request.Headers.ContainsKey(IdempotencyMiddleware.KeyHeader) && RateLimitLease.Of(context)?.Client is { } client && context.Features.Get<ProxyAccount>() is { } account
            ? CreateAsync(context, account, jobs.CreateAttempt(client, account.Account, keyHash: null))
            : next(context);

    private async Task CreateAsync(HttpContext context, ProxyAccount account, Job attempt)
    {
        var isBegun = await TryApplyAsync(JobChange.Begin(attempt));
        if (!isBegun && ownership.IsActive)
        {
            _ = TryApplyAsync(JobChange.Cancel(attempt)); // the ledger may have recorded it although it did not confirm
            throw new LedgerUnavailableException(); // without a job, only clients with read-all could see the generation
        }

        var outcome = CreateOutcome.Unknown;
        ReadOnlyMemory<byte>? body = null;
        try
        {
            body = await ForwardAsync(context);
            outcome = CreateOutcomes.Of(context);
        }
        catch when (!CreateOutcomes.MayHaveRun(context))
        {
            outcome = CreateOutcome.Refused;
            throw;
        }
        catch when (context.Features.Get<CreatedGeneration>() is not null)
        {
            outcome = CreateOutcome.Settled; // only its caller did not get the response
            throw;
        }
        finally
        {
            var change = jobs.End(context, attempt, account.Account, outcome, body) ?? (isBegun ? null : JobChange.Begin(attempt));
            if (change is not null)
            {
                var ending = EndAsync(change, account.AccountName, context.TraceIdentifier);
                await (isBegun ? ending : Task.CompletedTask); // if the first write failed, the response does not wait for a second one
            }

            await jobs.BindSlotAsync(context, change);
        }
    }

    /// <summary>Never throws.</summary>
    private async Task EndAsync(JobChange change, string account, string requestId)
    {
        if (!await TryApplyAsync(change))
        {
            jobs.RecordUnrecorded(account, requestId);
        }
    }

    /// <summary>Returns the response's body; null if it is longer than the buffer of <see cref="ForwarderErrorMiddleware"/>, which then has sent its start.</summary>
    private async Task<ReadOnlyMemory<byte>?> ForwardAsync(HttpContext context)
    {
        context.Request.Headers.AcceptEncoding = "identity"; // the id is read from the body. Without the header every encoding is acceptable (RFC 9110, section 12.5.3)
        var feature = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        using var tee = new TeeStream(feature.Stream, ForwarderErrorMiddleware.MaxBufferedBytes);
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(tee, feature));
        try
        {
            await next(context);
            return tee.Copy;
        }
        finally
        {
            context.Features.Set(feature);
        }
    }

    /// <summary>Returns false if the ledger did not confirm.</summary>
    private async Task<bool> TryApplyAsync(JobChange change)
    {
        try
        {
            await ledger.ApplyAsync(change);
            return true;
        }
        catch (LedgerUnavailableException)
        {
            return false;
        }
    }
}
