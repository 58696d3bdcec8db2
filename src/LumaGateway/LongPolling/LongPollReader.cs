using System.Globalization;
using LumaGateway.Access;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Polling;
using LumaGateway.Problems;
using Microsoft.Extensions.Options;

namespace LumaGateway.LongPolling;

/// <summary>Serves a read with <c>Prefer: wait</c>: responds when the generation is terminal, has been in an unknown state for too long, or the wait is over.</summary>
internal sealed class LongPollReader(ResponseCache cache, GenerationReader reader, FirstSnapshotReader snapshots, WaiterRegistry waiters, PollTargets targets, IOptions<WaitingOptions> options)
{
    private const string PreferenceApplied = "Preference-Applied";

    /// <summary>
    /// The generation, once it is terminal or the wait is over. Throws <see cref="UpstreamException"/> if the upstream still fails at the end of the wait, or if the
    /// limit of waiting callers is reached. Null if the request has no valid <c>wait</c> preference.
    /// </summary>
    public Task<CacheResult>? TryRead(GenerationId id, HttpContext context) =>
        PreferredWait.Read(context.Request.Headers["Prefer"], options.Value.Longest) is { } wait ? ReadAsync(id, wait, context) : null;

    private async Task<CacheResult> ReadAsync(GenerationId id, TimeSpan wait, HttpContext context)
    {
        if (await WaitAsync(id, wait, context) is { } snapshot)
        {
            return snapshot.Summary is null
                ? throw new UpstreamException(UpstreamFault.NotFound, "The upstream does not know the id.")
                : new CacheResult(snapshot.Entry, CacheStatus.Collapsed, CacheTier.None);
        }

        return await reader.ReadAsync(id, context.TraceIdentifier, RateLimitLease.Of(context), context.RequestAborted);
    }

    /// <summary>Sets the header when the response starts: a problem response clears the headers that were set before.</summary>
    private static void SetPreferenceApplied(TimeSpan wait, HttpResponse response) => response.OnStarting(
        static state =>
        {
            var (wait, response) = ((TimeSpan, HttpResponse))state;
            response.Headers[PreferenceApplied] = string.Create(CultureInfo.InvariantCulture, $"wait={(long)wait.TotalSeconds}");
            return Task.CompletedTask;
        },
        (wait, response));

    /// <summary>The state at the end of the wait; null if it is too old and must be read.</summary>
    private async Task<GenerationSnapshot?> WaitAsync(GenerationId id, TimeSpan wait, HttpContext context)
    {
        var aborted = context.RequestAborted;
        if (wait == TimeSpan.Zero || await cache.FindAsync(id) is { Kind: EntryKind.Final })
        {
            SetPreferenceApplied(wait, context.Response);
            return null;
        }

        using var subscription = WaiterSubscription.TryCreate(waiters, targets, RateLimitLease.Of(context)?.Client, WaiterKind.LongPoll, wait, [id], aborted)
            ?? throw new UpstreamException(UpstreamFault.Saturated, "Waiting:Max is reached.");
        RateLimitLease.Of(context)?.ReleaseConcurrency(); // from here on Waiting:Max limits the request
        SetPreferenceApplied(wait, context.Response);
        var target = subscription.Targets[0];
        var (before, first) = (target.Snapshot, default(GenerationSnapshot));
        try
        {
            first = await snapshots.ReadAsync(id, target, context.TraceIdentifier, RateLimitLease.Of(context), aborted);
        }
        catch (UpstreamException exception) when (exception.Fault is not UpstreamFault.NotFound)
        {
            first = before; // only a fault at the end of the wait counts
        }

        while (!target.IsWaitOver)
        {
            var signals = await subscription.Waiter.NextAsync();
            aborted.ThrowIfCancellationRequested();
            if ((signals & (WaiterSignals.TimedOut | WaiterSignals.Stopping)) != 0)
            {
                break;
            }
        }

        // Completed without a link: nothing in it expires, and a final state never becomes interim. The upstream has just returned an interim state, or a fault.
        var confirmed = first is { IsTerminal: true, Entry.Kind: EntryKind.Interim } && ReferenceEquals(first, target.Snapshot) ? first : null;
        return snapshots.FindRecent(target, id) ?? confirmed;
    }
}
