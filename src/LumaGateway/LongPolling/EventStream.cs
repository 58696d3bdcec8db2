using System.Text.Json;
using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Polling;
using LumaGateway.Problems;
using LumaGateway.Time;

namespace LumaGateway.LongPolling;

/// <summary>
/// Serves a stream of server-sent events: the states that the client does not know, then every change, until all generations are terminal. An
/// upstream fault after the start of the stream sends nothing: polling continues.
/// </summary>
internal sealed class EventStream(FirstSnapshotReader snapshots, WaiterRegistry waiters, PollTargets targets, MonotonicClock clock)
{
    /// <summary>The shortest reconnection time, which lets another replica become ready. The longest is three times this: clients must not reconnect all at once.</summary>
    private static readonly TimeSpan ReconnectAfter = TimeSpan.FromSeconds(1);

    /// <param name="context">The request.</param>
    /// <param name="ids">The generations, each once.</param>
    /// <param name="hidden">Those that the client may not see. They are absent for this stream, and not polled.</param>
    public async Task ServeAsync(HttpContext context, IReadOnlyList<GenerationId> ids, IReadOnlySet<GenerationId> hidden)
    {
        var aborted = context.RequestAborted;
        RateLimitLease.Of(context)?.ChargeBatch(ids.Count);
        IReadOnlyList<GenerationId> visible = hidden.Count == 0 ? ids : [.. ids.Where(id => !hidden.Contains(id))];
        using var subscription = WaiterSubscription.TryCreate(waiters, targets, RateLimitLease.Of(context)?.Client, WaiterKind.Stream, null, visible, aborted);
        if (subscription is null)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.Saturated);
            return;
        }

        RateLimitLease.Of(context)?.ReleaseConcurrency(); // from here on Waiting:Max limits the request
        var lastEventId = context.Request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } sent ? sent : null;
        var generations = GenerationsOf(ids, subscription.Targets);
        if (ids.Count == 1)
        {
            await ReadOnlyOneAsync(context, generations[0], isResumed: lastEventId is not null);
        }

        await using var reads = ids.Count == 1 ? null : new FirstReads(snapshots, generations, subscription.Waiter, context);
        var writer = new EventWriter(context.Response, aborted);
        try
        {
            await SendAsync(context, writer, subscription.Waiter, new StreamProgress(generations, lastEventId), reads);
        }
        catch (OperationCanceledException) when (aborted.IsCancellationRequested && writer.HasStarted)
        {
            // The client closed the connection, which is how most streams end.
        }
    }

    /// <summary>The generations in the order of the ids. One that is not polled is absent.</summary>
    private List<StreamedGeneration> GenerationsOf(IReadOnlyList<GenerationId> ids, IReadOnlyList<PollTarget> polled)
    {
        var all = new List<StreamedGeneration>(ids.Count);
        var next = 0;
        foreach (var id in ids)
        {
            if (next < polled.Count && polled[next].Key == id)
            {
                all.Add(new StreamedGeneration(id, polled[next++], snapshots));
                continue;
            }

            var hidden = new StreamedGeneration(id, new PollTarget(id), snapshots);
            hidden.SetAbsent(GenerationSnapshot.Absent(id, clock.GetUtcNow()));
            hidden.SetRead();
            all.Add(hidden);
        }

        return all;
    }

    /// <summary>A new stream of one generation fails if the generation cannot be read. A resumed one starts and depends on later polls.</summary>
    private async Task ReadOnlyOneAsync(HttpContext context, StreamedGeneration generation, bool isResumed)
    {
        try
        {
            var snapshot = generation.IsRead
                ? generation.FindSnapshot()
                : await snapshots.ReadAsync(generation.Id, generation.Target, context.TraceIdentifier, RateLimitLease.Of(context), context.RequestAborted);
            if (snapshot is { Summary: null })
            {
                throw new UpstreamException(UpstreamFault.NotFound, "The upstream does not know the id.");
            }
        }
        catch (UpstreamException exception) when (isResumed && exception.Fault is not UpstreamFault.NotFound)
        {
            // Polling continues.
        }

        generation.SetRead();
    }

    /// <summary>
    /// Sends each state as soon as it is known. The response starts at once, unless it may be a 204, to which an EventSource does not reconnect: then it starts with the first
    /// event, when the first reads show that it is no 204, or instead of the first heartbeat.
    /// </summary>
    private async Task SendAsync(HttpContext context, EventWriter writer, Waiter waiter, StreamProgress progress, FirstReads? reads)
    {
        while (true)
        {
            reads?.ThrowIfFailed();
            await SendKnownStatesAsync(context, writer, waiter, progress);
            if (progress.IsComplete)
            {
                if (!writer.HasStarted)
                {
                    context.Response.StatusCode = StatusCodes.Status204NoContent;
                }

                return;
            }

            if (!progress.MayBeComplete)
            {
                await writer.StartAsync();
            }

            var signals = await waiter.NextAsync();
            if ((signals & WaiterSignals.Disconnected) != 0)
            {
                throw new OperationCanceledException(context.RequestAborted);
            }

            if ((signals & WaiterSignals.Stopping) != 0)
            {
                await writer.StartAsync();
                await writer.WriteRetryAsync(ReconnectAfter * (1 + (2 * Random.Shared.NextDouble())));
                return;
            }

            if ((signals & WaiterSignals.Heartbeat) != 0)
            {
                waiter.MarkSent(clock.Now);
                await (writer.HasStarted ? writer.WriteCommentAsync() : writer.StartAsync());
            }
        }
    }

    private async Task SendKnownStatesAsync(HttpContext context, EventWriter writer, Waiter waiter, StreamProgress progress)
    {
        while (progress.TakeNext() is var (generation, snapshot, eventId))
        {
            waiter.MarkSent(clock.Now);
            await writer.StartAsync();
            if (snapshot.Summary is not null)
            {
                await writer.WriteEventAsync("generation", eventId, snapshot.Entry.Body);
            }
            else if (progress.Count > 1)
            {
                var item = new BatchItem(generation.Id.Value, null, ProblemWriter.CreateProblem(context, ProblemKinds.GenerationNotFound));
                await writer.WriteEventAsync("problem", eventId, JsonSerializer.SerializeToUtf8Bytes(item, ContractsJson.Web.BatchItem));
            }
        }
    }
}
