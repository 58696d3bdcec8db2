using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Problems;
using LumaGateway.Proxy;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Upstreams;
using LumaGateway.Upstreams.Wire;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace LumaGateway.Creating;

/// <summary>
/// Sends a create once, and responds with the created generation or a problem. Leaves the outcome in <see cref="CreateOutcomeFeature"/> for the idempotency record. Never
/// sends a create again: its outcome is unknown once bytes were sent and no readable response came. Thread-safe.
/// </summary>
internal sealed partial class GenerationCreator(
    GenerationReader reader, GenerationSource source, ProxyMetrics metrics, IOptions<PassthroughOptions> options, TimeProvider clock, ILogger<GenerationCreator> logger)
{
    public async Task CreateAsync(HttpContext context, UpstreamSender account, UpstreamCreate create)
    {
        var progress = new SendProgress();
        context.Features.Set(progress);
        var start = reader.StartFetch();
        using var timeout = new CancellationTokenSource(options.Value.CreateTimeout, clock);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, timeout.Token);
        UpstreamReply reply;
        try
        {
            reply = await account.SendAsync(HttpMethod.Post, create.Path, create.Body, context.TraceIdentifier, progress, linked.Token);
        }
        catch (UpstreamException fault)
        {
            await FailAsync(context, progress, fault);
            return;
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested || IsDetached(context))
        {
            await FailAsync(context, progress, new UpstreamException(UpstreamFault.TimedOut, "The upstream did not respond within Passthrough:CreateTimeout."));
            return;
        }
        catch (OperationCanceledException)
        {
            SetOutcome(context, progress.HasStarted ? CreateOutcome.Unknown : CreateOutcome.Refused); // the caller disconnected
            throw;
        }

        using (reply)
        {
            await RespondAsync(context, account, reply, start);
        }
    }

    /// <summary>Whether the create continues without its caller, as it does with an <c>Idempotency-Key</c>. Only a timeout cancels it then.</summary>
    private static bool IsDetached(HttpContext context) => context.Features.Get<IHttpRequestLifetimeFeature>() is CapturedResponse;

    private Task RespondAsync(HttpContext context, UpstreamSender account, UpstreamReply reply, FetchStart start)
    {
        var outcome = CreateOutcomes.FromResponse(reply.Response);
        if (!reply.Response.IsSuccessStatusCode)
        {
            return RefuseAsync(context, account, reply, outcome);
        }

        if (WireCreated.ReadId(reply.Json) is not { } id)
        {
            Log.ResponseUnreadable(logger, (int)reply.Response.StatusCode, context.TraceIdentifier);
            return CompleteAsync(context, CreateOutcome.Unknown, ProblemKinds.CreateOutcomeUnknown);
        }

        SetOutcome(context, CreateOutcome.Settled);
        return WriteAsync(context, id, ReadState(account.Dialect, id, reply.Json), start);
    }

    /// <summary>The first state goes to the cache too, so that a read right after the create needs no upstream request.</summary>
    private async Task WriteAsync(HttpContext context, GenerationId id, DialectResult result, FetchStart start)
    {
        var stored = await reader.StoreListedAsync(id, result, start);
        await CreatedResponse.WriteAsync(context, stored ?? source.CreateEntry(id, result, start.At));
    }

    /// <summary>The generation exists even if the rest of the response cannot be read.</summary>
    private static DialectResult ReadState(IUpstreamDialect dialect, GenerationId id, JsonElement body)
    {
        try
        {
            return dialect.Read(id, HttpStatusCode.OK, body);
        }
        catch (UpstreamException)
        {
            return new DialectResult(new Generation(id.Value, GenerationState.Queued, null, null, null, null, null, null, null, null, [], null, null), IsKnownState: true);
        }
    }

    private Task RefuseAsync(HttpContext context, UpstreamSender account, UpstreamReply reply, CreateOutcome outcome)
    {
        if (outcome is CreateOutcome.Unknown)
        {
            return CompleteAsync(context, outcome, ProblemKinds.CreateOutcomeUnknown);
        }

        var refusal = WireRefusal.Read(reply.Json);
        var kind = CreateRefusals.KindOf(reply.Response, refusal);
        return CompleteAsync(context, outcome, kind, reply.RetryAfter, kind.Status is StatusCodes.Status422UnprocessableEntity ? CreateRefusals.ErrorsOf(refusal, account.Secrets) : null);
    }

    private Task FailAsync(HttpContext context, SendProgress progress, UpstreamException fault)
    {
        Log.NotSent(logger, fault.Fault, progress.HasStarted, context.TraceIdentifier);
        return progress.HasStarted
            ? CompleteAsync(context, CreateOutcome.Unknown, ProblemKinds.CreateOutcomeUnknown)
            : CompleteAsync(context, CreateOutcome.Refused, ProblemKinds.Of(fault.Fault), fault.RetryAfter);
    }

    private Task CompleteAsync(
        HttpContext context, CreateOutcome outcome, ProblemKind kind, TimeSpan? retryAfter = null, IReadOnlyDictionary<string, IReadOnlyList<string>>? errors = null)
    {
        SetOutcome(context, outcome);
        return ProblemWriter.WriteAsync(context, kind, retryAfter: retryAfter, errors: errors);
    }

    private void SetOutcome(HttpContext context, CreateOutcome outcome)
    {
        metrics.Created(outcome);
        context.Features.Set(new CreateOutcomeFeature(outcome));
    }

    private static partial class Log
    {
        [LoggerMessage(4321, LogLevel.Warning, "A create failed: {Fault}; bytes sent: {WasSent}. The gateway does not send it again (request {RequestId}).")]
        public static partial void NotSent(ILogger logger, UpstreamFault fault, bool wasSent, string requestId);

        [LoggerMessage(4322, LogLevel.Error, "The upstream's response {Status} to a create has no id that the gateway can read. The generation may exist and be billed; the caller gets create_outcome_unknown (request {RequestId}).")]
        public static partial void ResponseUnreadable(ILogger logger, int status, string requestId);
    }
}
