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
    GenerationReader reader, GenerationSource source, AccountChooser chooser, ProxyMetrics metrics, IOptions<PassthroughOptions> options, TimeProvider clock, ILogger<GenerationCreator> logger)
{
    public async Task CreateAsync(HttpContext context)
    {
        var choice = context.Features.GetRequiredFeature<ProxyAccount>();
        var account = choice.Account;
        var create = context.Features.GetRequiredFeature<WrittenCreate>().ByDialect[account.Dialect.Name];
        var progress = new SendProgress();
        context.Features.Set(progress);
        choice.MarkSent();
        var start = reader.StartFetch();
        using var timeout = new CancellationTokenSource(options.Value.CreateTimeout, clock);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, timeout.Token);
        UpstreamReply reply;
        try
        {
            reply = await account.Sender.SendAsync(HttpMethod.Post, create.Path, create.Body, context.TraceIdentifier, progress, linked.Token);
        }
        catch (UpstreamException fault)
        {
            await FailAsync(context, choice, progress, fault);
            return;
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested || IsDetached(context))
        {
            await FailAsync(context, choice, progress, new UpstreamException(UpstreamFault.TimedOut, "The upstream did not respond within Passthrough:CreateTimeout."));
            return;
        }
        catch (OperationCanceledException)
        {
            SetOutcome(context, account, progress.HasStarted ? CreateOutcome.Unknown : CreateOutcome.Refused); // the caller disconnected
            throw;
        }

        using (reply)
        {
            await RespondAsync(context, choice, create, reply, start);
        }
    }

    /// <summary>Whether the create continues without its caller, as it does with an <c>Idempotency-Key</c>. Only a timeout cancels it then.</summary>
    private static bool IsDetached(HttpContext context) => context.Features.Get<IHttpRequestLifetimeFeature>() is CapturedResponse;

    private Task RespondAsync(HttpContext context, ProxyAccount choice, UpstreamCreate create, UpstreamReply reply, FetchStart start)
    {
        var account = choice.Account;
        var outcome = CreateOutcomes.FromResponse(reply.Response);
        if (!reply.Response.IsSuccessStatusCode)
        {
            return RefuseAsync(context, choice, reply, outcome);
        }

        if (WireCreated.FindId(reply.Json) is not { } id)
        {
            Log.ResponseUnreadable(logger, (int)reply.Response.StatusCode, context.TraceIdentifier);
            return CompleteAsync(context, account, CreateOutcome.Unknown, ProblemKinds.CreateOutcomeUnknown);
        }

        SetOutcome(context, account, CreateOutcome.Settled);
        var result = ReadState(account.Dialect, id, reply.Json);
        context.Features.Set(new CreatedGeneration(id, result.Generation.State, result.Generation.Model ?? account.Dialect.Writer.ModelOf(create.Body)));
        return WriteAsync(context, id, result, account, start);
    }

    /// <summary>The first state goes to the cache too, so that a read right after the create needs no upstream request.</summary>
    private async Task WriteAsync(HttpContext context, GenerationId id, DialectResult result, UpstreamAccount account, FetchStart start)
    {
        var stored = await reader.StoreListedAsync(id, result, account, start);
        await CreatedResponse.WriteAsync(context, stored ?? source.CreateEntry(id, result, account, start.At));
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

    private Task RefuseAsync(HttpContext context, ProxyAccount choice, UpstreamReply reply, CreateOutcome outcome)
    {
        var account = choice.Account;
        if (outcome is CreateOutcome.Unknown)
        {
            return CompleteAsync(context, account, outcome, ProblemKinds.CreateOutcomeUnknown);
        }

        var refusal = WireRefusal.Read(reply.Json);
        var kind = CreateRefusals.KindOf(reply.Response, refusal);
        UpstreamFault? fault = kind == ProblemKinds.OutOfCredit ? UpstreamFault.OutOfCredit
            : kind == ProblemKinds.Moderated ? null // the request is refused, not the account
            : CreateRefusal.Of(reply.Response.StatusCode);
        if (fault is { } refused && TryMove(context, choice, refused, reply.RetryAfter))
        {
            return Task.CompletedTask;
        }

        return CompleteAsync(
            context, account, outcome, kind, reply.RetryAfter, kind.Status is StatusCodes.Status422UnprocessableEntity ? CreateRefusals.ErrorsOf(refusal, account.Sender.Secrets) : null);
    }

    private Task FailAsync(HttpContext context, ProxyAccount choice, SendProgress progress, UpstreamException fault)
    {
        Log.CreateFailed(logger, fault.Fault, progress.HasStarted, context.TraceIdentifier);
        if (progress.HasStarted)
        {
            return CompleteAsync(context, choice.Account, CreateOutcome.Unknown, ProblemKinds.CreateOutcomeUnknown);
        }

        // With a key, RequestAborted ends the time for the create at all accounts. Another account would fail at once too, and get no creates for a while.
        return !context.RequestAborted.IsCancellationRequested && TryMove(context, choice, fault.Fault, fault.RetryAfter)
            ? Task.CompletedTask
            : CompleteAsync(context, choice.Account, CreateOutcome.Refused, ProblemKinds.Of(fault.Fault), fault.RetryAfter);
    }

    /// <summary>The account refused the create, or was not reached. Returns true if <see cref="CreateDistributionMiddleware"/> sends the create to another one.</summary>
    private bool TryMove(HttpContext context, ProxyAccount choice, UpstreamFault fault, TimeSpan? retryAfter)
    {
        var account = choice.Account;
        account.RecordRefusal(fault, retryAfter);
        SetOutcome(context, account, CreateOutcome.Refused);
        return choice.TryMove(chooser);
    }

    private Task CompleteAsync(
        HttpContext context, UpstreamAccount account, CreateOutcome outcome, ProblemKind kind, TimeSpan? retryAfter = null, IReadOnlyDictionary<string, IReadOnlyList<string>>? errors = null)
    {
        if (context.Features.Get<CreateOutcomeFeature>() is null)
        {
            SetOutcome(context, account, outcome);
        }

        return ProblemWriter.WriteAsync(context, kind, retryAfter: retryAfter, errors: errors);
    }

    private void SetOutcome(HttpContext context, UpstreamAccount account, CreateOutcome outcome)
    {
        metrics.Created(outcome, account.Name);
        context.Features.Set(new CreateOutcomeFeature(outcome));
    }

    private static partial class Log
    {
        [LoggerMessage(4331, LogLevel.Warning, "A create failed: {Fault}; bytes sent: {WasSent} (request {RequestId}).")]
        public static partial void CreateFailed(ILogger logger, UpstreamFault fault, bool wasSent, string requestId);

        [LoggerMessage(4332, LogLevel.Error, "The upstream's response {Status} to a create has no id that the gateway can read. The generation may exist and be billed; the caller gets create_outcome_unknown (request {RequestId}).")]
        public static partial void ResponseUnreadable(ILogger logger, int status, string requestId);
    }
}
