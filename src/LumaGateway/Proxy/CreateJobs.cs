using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Jobs;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Upstreams;

namespace LumaGateway.Proxy;

/// <summary>Makes the jobs of creates. Thread-safe.</summary>
internal sealed partial class CreateJobs(AccountDirectory directory, JobSlots slots, JobMetrics metrics, TimeProvider clock, ILogger<CreateJobs> logger)
{
    /// <summary>The job of a create that is not sent yet.</summary>
    /// <param name="client">The client that sends the create.</param>
    /// <param name="account">The account that the create is sent to first.</param>
    /// <param name="keyHash">The hash of its <c>Idempotency-Key</c>; null without a key.</param>
    public Job CreateAttempt(Client client, UpstreamAccount account, string? keyHash) => new(
        Job.NewAttemptKey(), account.Name, account.Dialect.Name, client.Name, client.Group, Model: null, clock.GetUtcNow(), keyHash, JobState.Unknown);

    /// <summary>
    /// The change that ends an attempt; null if it stays, because its outcome or its id is unknown.
    /// </summary>
    /// <param name="context">The request, with the status of its response.</param>
    /// <param name="attempt">The attempt.</param>
    /// <param name="account">The account that the create was sent to last.</param>
    /// <param name="outcome">The outcome of the create.</param>
    /// <param name="body">The body of the response; null if it is too long. It is not read if the request has the feature <see cref="CreatedGeneration"/>.</param>
    public JobChange? End(HttpContext context, Job attempt, UpstreamAccount account, CreateOutcome outcome, ReadOnlyMemory<byte>? body)
    {
        if (outcome is CreateOutcome.Unknown)
        {
            // A create that has moved may have been run by the last account only.
            return attempt.Account == account.Name ? null : JobChange.Complete(attempt, attempt with { Key = Job.NewAttemptKey(), Account = account.Name, Dialect = account.Dialect.Name });
        }

        var status = context.Response.StatusCode;
        if (outcome is CreateOutcome.Refused || status is < 200 or >= 300)
        {
            return JobChange.Cancel(attempt);
        }

        if ((context.Features.Get<CreatedGeneration>() ?? (body is { } json ? CreatedGeneration.Read(account.Dialect, json) : null)) is not { } created)
        {
            metrics.RecordUnrecorded(UnrecordedReason.UnreadableResponse, account.Name);
            Log.Unreadable(logger, status, context.TraceIdentifier);
            return null;
        }

        directory.Remember(created.Id, account);
        return JobChange.Complete(attempt, attempt with { Key = created.Id.Value, Account = account.Name, Dialect = account.Dialect.Name, State = JobStates.Of(created.State), Model = created.Model });
    }

    /// <summary>
    /// Gives the slot of a create to the generation that it made, or back if the generation is final already. To be called after the job is recorded: another replica
    /// polls the ids of slots, and would record an id without a job as one of no client. Names the generation for the audit event. Does not throw.
    /// </summary>
    public Task BindSlotAsync(HttpContext context, JobChange? change)
    {
        if (change?.Add is not { Id: { } id } job)
        {
            return Task.CompletedTask;
        }

        context.Features.Set(new RecordedJob(id.Value));
        return context.Features.Get<JobSlot>() is not { } slot ? Task.CompletedTask
            : job.State.IsFinal() ? slots.ReleaseAsync(slot)
            : slots.BindAsync(slot, id);
    }

    /// <summary>The ledger did not record a create.</summary>
    public void RecordUnrecorded(string account, string requestId)
    {
        metrics.RecordUnrecorded(UnrecordedReason.LedgerUnavailable, account);
        Log.NotRecorded(logger, requestId);
    }

    private static partial class Log
    {
        [LoggerMessage(4322, LogLevel.Warning, "The response to a create (status {Status}) has no id that the gateway can read. The ledger keeps the create as a job of unknown state (request {RequestId}).")]
        public static partial void Unreadable(ILogger logger, int status, string requestId);

        [LoggerMessage(4323, LogLevel.Warning, "The ledger did not record a create. Its generation has no owner and no account in the ledger. Check ConnectionStrings:Ledger (request {RequestId}).")]
        public static partial void NotRecorded(ILogger logger, string requestId);
    }
}
