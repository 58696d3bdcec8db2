using System.Text.Json;
using LumaGateway.Access;
using LumaGateway.Caching;
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
            await ProblemWriter.WriteAsync(context, ProblemKinds.Saturated, "This replica has reached its limit of waiting callers.");
            return;
        }

        RateLimitLease.Of(context)?.ReleaseSlot(); // from here on Waiting:Max limits the request
        var lastEventId = context.Request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } sent ? sent : null;
        var polled = hidden.Count == 0 ? subscription.Targets : WithAbsent(ids, subscription.Targets);
        var progress = new Progress(ids, polled, lastEventId);
        await ReadFirstSnapshotsAsync(context, ids, hidden, polled, isResumed: lastEventId is not null);
        if (progress.IsComplete)
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent; // an EventSource does not reconnect after it
            return;
        }

        var writer = new EventWriter(context.Response, aborted);
        await writer.StartAsync();
        try
        {
            await SendAsync(context, writer, subscription.Waiter, progress);
        }
        catch (OperationCanceledException) when (aborted.IsCancellationRequested)
        {
            // The client closed the connection, which is how most streams end.
        }
    }

    /// <summary>The targets in the order of the ids, with an absent generation for each id that is not polled.</summary>
    private List<PollTarget> WithAbsent(IReadOnlyList<GenerationId> ids, IReadOnlyList<PollTarget> polled)
    {
        var all = new List<PollTarget>(ids.Count);
        var next = 0;
        foreach (var id in ids)
        {
            if (next < polled.Count && polled[next].Key == id)
            {
                all.Add(polled[next++]);
                continue;
            }

            var now = clock.GetUtcNow();
            var absent = new PollTarget(id);
            absent.TryUpdate(new GenerationSnapshot(new CacheEntry(id, EntryKind.NotFound, [], now, now, now)), now, out _);
            all.Add(absent);
        }

        return all;
    }

    /// <summary>A new stream of one generation fails if the generation cannot be read. Any other stream starts and depends on later polls.</summary>
    private Task ReadFirstSnapshotsAsync(HttpContext context, IReadOnlyList<GenerationId> ids, IReadOnlySet<GenerationId> hidden, IReadOnlyList<PollTarget> polled, bool isResumed)
    {
        return ids.Count == 1
            ? ReadOneAsync(0, context.RequestAborted)
            : Parallel.ForEachAsync(
                Enumerable.Range(0, ids.Count),
                new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = context.RequestAborted },
                async (index, token) => await ReadOneAsync(index, token));

        async Task ReadOneAsync(int index, CancellationToken token)
        {
            try
            {
                var snapshot = hidden.Contains(ids[index])
                    ? polled[index].Snapshot
                    : await snapshots.ReadAsync(ids[index], polled[index], context.TraceIdentifier, RateLimitLease.Of(context), token);
                if (ids.Count == 1 && snapshot is { Summary: null })
                {
                    throw new UpstreamException(UpstreamFault.NotFound, "The upstream does not know the id.");
                }
            }
            catch (UpstreamException exception) when (ids.Count > 1 || (isResumed && exception.Fault is not UpstreamFault.NotFound))
            {
                // Polling continues.
            }
        }
    }

    private async Task SendAsync(HttpContext context, EventWriter writer, Waiter waiter, Progress progress)
    {
        while (true)
        {
            waiter.MarkSent(clock.Now);
            while (progress.TakeNext() is var (index, snapshot, eventId))
            {
                if (snapshot.Summary is not null)
                {
                    await writer.WriteEventAsync("generation", eventId, snapshot.Entry.Body);
                }
                else if (progress.Count > 1)
                {
                    var item = new BatchItem(progress.IdOf(index), null, ProblemWriter.CreateProblem(context, ProblemKinds.GenerationNotFound));
                    await writer.WriteEventAsync("problem", eventId, JsonSerializer.SerializeToUtf8Bytes(item, ContractsJson.Web.BatchItem));
                }
            }

            if (progress.IsComplete)
            {
                return;
            }

            var signals = await waiter.NextAsync();
            if ((signals & WaiterSignals.Disconnected) != 0)
            {
                return;
            }

            if ((signals & WaiterSignals.Stopping) != 0)
            {
                await writer.WriteRetryAsync(ReconnectAfter * (1 + (2 * Random.Shared.NextDouble())));
                return;
            }

            if ((signals & WaiterSignals.Heartbeat) != 0)
            {
                await writer.WriteCommentAsync();
            }
        }
    }

    /// <summary>Which states one stream has sent.</summary>
    private sealed class Progress(IReadOnlyList<GenerationId> ids, IReadOnlyList<PollTarget> polled, string? lastEventId)
    {
        private readonly SentStates _sent = new(ids.Count, lastEventId);
        private readonly GenerationSnapshot?[] _taken = new GenerationSnapshot?[ids.Count];

        public int Count => ids.Count;

        /// <summary>True if all generations are terminal, or in an unknown state for too long, and the client has their states.</summary>
        public bool IsComplete
        {
            get
            {
                for (var i = 0; i < polled.Count; i++)
                {
                    // The snapshot is read once: it may be replaced at any time.
                    if (polled[i].Snapshot is not { } snapshot || !(snapshot.IsTerminal || polled[i].IsAbandoned) || !(ReferenceEquals(_taken[i], snapshot) || _sent.Contains(i, snapshot)))
                    {
                        return false;
                    }
                }

                return true;
            }
        }

        public string IdOf(int index) => ids[index].Value;

        /// <summary>The next state to send, and the id of its event; null if the client has all states.</summary>
        public (int Index, GenerationSnapshot Snapshot, string EventId)? TakeNext()
        {
            for (var i = 0; i < polled.Count; i++)
            {
                if (polled[i].Snapshot is not { } snapshot || !snapshot.DiffersFrom(_taken[i]))
                {
                    continue;
                }

                var isFirst = _taken[i] is null;
                _taken[i] = snapshot;
                if (!isFirst || !_sent.Contains(i, snapshot))
                {
                    return (i, snapshot, _sent.Add(i, snapshot));
                }
            }

            return null;
        }
    }
}
