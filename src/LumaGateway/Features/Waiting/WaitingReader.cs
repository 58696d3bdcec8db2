using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Features.Generations;

namespace LumaGateway.Features.Waiting;

/// <summary>Reads one generation when it is finished, or when the caller has waited long enough.</summary>
internal sealed class WaitingReader(GenerationReader reader, FirstNews first, WaitingRoom room, WatchTable table)
{
    /// <summary>
    /// The answer, the moment it is final; else the state as it is at the end of the wait, or a fault of the upstream that still holds then. Throws
    /// <see cref="UpstreamException"/> for that, and where nobody more can wait here.
    /// </summary>
    public async Task<CacheAnswer> ReadAsync(GenerationId id, TimeSpan wait, string requestId, CancellationToken cancellationToken)
    {
        if (wait > TimeSpan.Zero && await WaitAsync(id, wait, requestId, cancellationToken) is { } news)
        {
            return news.Summary is null
                ? throw new UpstreamException(UpstreamFault.NotFound, "The upstream does not know the id.")
                : new CacheAnswer(news.Entry, CacheStatus.Collapsed, CacheLevel.None);
        }

        return await reader.ReadAsync(id, requestId, cancellationToken);
    }

    /// <summary>The last that was heard, where that is recent.</summary>
    private async Task<News?> WaitAsync(GenerationId id, TimeSpan wait, string requestId, CancellationToken cancellationToken)
    {
        if (await reader.FindAsync(id) is { Kind: EntryKind.Final })
        {
            return null; // there is nothing to wait for: it is read as always
        }

        using var following = Following.TryBegin(room, table, WaiterKind.Answer, wait, [id], cancellationToken)
            ?? throw new UpstreamException(UpstreamFault.Saturated, "Waiting:Max callers wait already.");
        var watch = following.Watches[0];
        try
        {
            await first.GetAsync(id, watch, requestId, cancellationToken);
        }
        catch (UpstreamException exception) when (exception.Fault is not UpstreamFault.NotFound)
        {
            // It counts only if it still holds at the end.
        }

        while (watch.News is not { IsLast: true })
        {
            var signals = await following.Subscriber.NextAsync();
            cancellationToken.ThrowIfCancellationRequested();
            if ((signals & (Signals.TimeUp | Signals.Draining)) != 0)
            {
                break;
            }
        }

        return first.Recent(watch);
    }
}
