using System.Text.Json;
using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Polling;
using LumaGateway.Problems;
using LumaGateway.Time;

namespace LumaGateway.LongPolling;

/// <summary>
/// Tells one caller of some generations: what it does not know yet, then every change, until all have ended. Whatever goes wrong upstream after the
/// first answer sends nothing: the watch goes on.
/// </summary>
internal sealed class EventStream(FirstSnapshotReader first, WaiterRegistry room, PollTargets table, MonotonicClock clock)
{
    /// <summary>Long enough for another replica to be ready, and spread, so that not all come at once.</summary>
    private static readonly TimeSpan ComeAgainAfter = TimeSpan.FromSeconds(1);

    /// <param name="context">The request.</param>
    /// <param name="ids">What to follow, each once.</param>
    public async Task ServeAsync(HttpContext context, IReadOnlyList<GenerationId> ids)
    {
        var gone = context.RequestAborted;
        RateLimitLease.Of(context)?.Admit(ids.Count);
        using var following = WaiterSubscription.TryBegin(room, table, RateLimitLease.Of(context)?.Client, WaiterKind.Stream, null, ids, gone);
        if (following is null)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.Saturated, "As many callers wait here already as may.");
            return;
        }

        RateLimitLease.Of(context)?.HandBackPlace(); // Waiting:Max bounds waiters
        var lastEventId = context.Request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } sent ? sent : null;
        var told = new Told(ids, following.Watches, lastEventId);
        await GreetAsync(context, ids, following.Watches, isResumed: lastEventId is not null);
        if (told.IsOver)
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent; // which tells an EventSource not to come again
            return;
        }

        var writer = new EventWriter(context.Response, gone);
        await writer.BeginAsync();
        try
        {
            await TellAsync(context, writer, following.Waiter, told);
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested)
        {
            // The caller hung up: that is how most streams end.
        }
    }

    /// <summary>A stream of one that begins is refused where its generation cannot be read; any other begins, and waits for better times.</summary>
    private Task GreetAsync(HttpContext context, IReadOnlyList<GenerationId> ids, IReadOnlyList<PollTarget> watches, bool isResumed)
    {
        return ids.Count == 1
            ? GreetOneAsync(0, context.RequestAborted)
            : Parallel.ForEachAsync(
                Enumerable.Range(0, ids.Count),
                new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = context.RequestAborted },
                async (index, token) => await GreetOneAsync(index, token));

        async Task GreetOneAsync(int index, CancellationToken token)
        {
            try
            {
                var news = await first.GetAsync(ids[index], watches[index], context.TraceIdentifier, RateLimitLease.Of(context), token);
                if (ids.Count == 1 && news is { Summary: null })
                {
                    throw new UpstreamException(UpstreamFault.NotFound, "The upstream does not know the id.");
                }
            }
            catch (UpstreamException exception) when (ids.Count > 1 || (isResumed && exception.Fault is not UpstreamFault.NotFound))
            {
                // The watch asks on.
            }
        }
    }

    private async Task TellAsync(HttpContext context, EventWriter writer, Waiter subscriber, Told told)
    {
        while (true)
        {
            subscriber.SentAt(clock.Now);
            while (told.TakeNext() is var (index, news, id))
            {
                if (news.Summary is not null)
                {
                    await writer.EventAsync("generation", id, news.Entry.Body);
                }
                else if (told.Count > 1)
                {
                    var item = new BatchItem(told.IdOf(index), ProblemWriter.Describe(context, ProblemKinds.GenerationNotFound));
                    await writer.EventAsync("problem", id, JsonSerializer.SerializeToUtf8Bytes(item, ContractsJson.Web.BatchItem));
                }
            }

            if (told.IsOver)
            {
                return;
            }

            var signals = await subscriber.NextAsync();
            if ((signals & WaiterSignals.Gone) != 0)
            {
                return;
            }

            if ((signals & WaiterSignals.Draining) != 0)
            {
                await writer.RetryAsync(ComeAgainAfter * (1 + (2 * Random.Shared.NextDouble())));
                return;
            }

            if ((signals & WaiterSignals.Heartbeat) != 0)
            {
                await writer.CommentAsync();
            }
        }
    }

    /// <summary>How far one stream has come.</summary>
    private sealed class Told(IReadOnlyList<GenerationId> ids, IReadOnlyList<PollTarget> watches, string? lastEventId)
    {
        private readonly EventIds _eventIds = new(ids.Count, lastEventId);
        private readonly GenerationSnapshot?[] _news = new GenerationSnapshot?[ids.Count];

        public int Count => ids.Count;

        /// <summary>Whether all have ended and the caller knows it.</summary>
        public bool IsOver
        {
            get
            {
                for (var i = 0; i < watches.Count; i++)
                {
                    if (watches[i].GenerationSnapshot is not { IsLast: true } news || !(ReferenceEquals(_news[i], news) || _eventIds.Knows(i, news)))
                    {
                        return false;
                    }
                }

                return true;
            }
        }

        public string IdOf(int index) => ids[index].Value;

        /// <summary>The next that the caller does not know; null where it knows all.</summary>
        public (int Index, GenerationSnapshot GenerationSnapshot, string EventId)? TakeNext()
        {
            for (var i = 0; i < watches.Count; i++)
            {
                if (watches[i].GenerationSnapshot is not { } news || !news.Differs(_news[i]))
                {
                    continue;
                }

                var isFirst = _news[i] is null;
                _news[i] = news;
                if (!isFirst || !_eventIds.Knows(i, news))
                {
                    return (i, news, _eventIds.Tell(i, news));
                }
            }

            return null;
        }
    }
}
