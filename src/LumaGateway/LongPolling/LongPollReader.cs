using System.Globalization;
using LumaGateway.Access;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Polling;
using LumaGateway.Problems;
using Microsoft.Extensions.Options;

namespace LumaGateway.LongPolling;

/// <summary>Reads one generation when it is finished, or when the caller has waited long enough.</summary>
internal sealed class LongPollReader(GenerationReader reader, FirstSnapshotReader first, WaiterRegistry room, PollTargets table, IOptions<WaitingOptions> options)
{
    private const string Applied = "Preference-Applied";

    /// <summary>
    /// The answer, the moment it is final; else the state as it is at the end of the wait, or a fault of the upstream that still holds then: throws
    /// <see cref="UpstreamException"/> for that, and where nobody more can wait here. Null where the caller does not prefer to wait.
    /// </summary>
    public Task<CacheResult>? TryRead(GenerationId id, HttpContext context) =>
        PreferredWait.Read(context.Request.Headers["Prefer"], options.Value.Longest) is { } wait ? ReadAsync(id, wait, context) : null;

    private async Task<CacheResult> ReadAsync(GenerationId id, TimeSpan wait, HttpContext context)
    {
        if (await WaitAsync(id, wait, context) is { } news)
        {
            return news.Summary is null
                ? throw new UpstreamException(UpstreamFault.NotFound, "The upstream does not know the id.")
                : new CacheResult(news.Entry, CacheStatus.Collapsed, CacheTier.None);
        }

        return await reader.ReadAsync(id, context.TraceIdentifier, RateLimitLease.Of(context), context.RequestAborted);
    }

    /// <summary>Of every answer but that nobody more can wait: also of a problem, for which what was set so far is thrown away.</summary>
    private static void Say(TimeSpan wait, HttpResponse response) => response.OnStarting(
        static state =>
        {
            var (wait, response) = ((TimeSpan, HttpResponse))state;
            response.Headers[Applied] = string.Create(CultureInfo.InvariantCulture, $"wait={(long)wait.TotalSeconds}");
            return Task.CompletedTask;
        },
        (wait, response));

    /// <summary>The last that was heard, where that is recent.</summary>
    private async Task<GenerationSnapshot?> WaitAsync(GenerationId id, TimeSpan wait, HttpContext context)
    {
        var gone = context.RequestAborted;
        if (wait == TimeSpan.Zero || await reader.FindAsync(id) is { Kind: EntryKind.Final })
        {
            Say(wait, context.Response);
            return null; // there is nothing to wait for: it is read as always
        }

        using var following = WaiterSubscription.TryBegin(room, table, RateLimitLease.Of(context)?.Client, WaiterKind.Answer, wait, [id], gone)
            ?? throw new UpstreamException(UpstreamFault.Saturated, "Waiting:Max callers wait already.");
        RateLimitLease.Of(context)?.HandBackPlace(); // Waiting:Max bounds waiters; who does not wait keeps its slot
        Say(wait, context.Response);
        var watch = following.Watches[0];
        try
        {
            await first.GetAsync(id, watch, context.TraceIdentifier, RateLimitLease.Of(context), gone);
        }
        catch (UpstreamException exception) when (exception.Fault is not UpstreamFault.NotFound)
        {
            // It counts only if it still holds at the end.
        }

        while (watch.GenerationSnapshot is not { IsLast: true })
        {
            var signals = await following.Waiter.NextAsync();
            gone.ThrowIfCancellationRequested();
            if ((signals & (WaiterSignals.TimeUp | WaiterSignals.Draining)) != 0)
            {
                break;
            }
        }

        return first.Recent(watch, id);
    }
}
