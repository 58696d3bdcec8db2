using System.Runtime.ExceptionServices;
using LumaGateway.Access;
using LumaGateway.Polling;
using LumaGateway.Problems;

namespace LumaGateway.LongPolling;

/// <summary>
/// The first reads of a stream of several generations. They run beside the sending of events: the end of each read signals the waiter. A read that fails leaves the
/// generation to later polls. Disposing cancels the reads, and waits for their end.
/// </summary>
internal sealed class FirstReads : IAsyncDisposable
{
    /// <summary>States in memory and Redis are not limited: an upstream that does not respond must not delay them.</summary>
    private const int MaxUpstreamReads = 8;

    private readonly FirstSnapshotReader _snapshots;
    private readonly Waiter _waiter;
    private readonly string _requestId;
    private readonly RateLimitLease? _lease;
    private readonly CancellationTokenSource _cancellation;
    private readonly SemaphoreSlim _upstreamReads = new(MaxUpstreamReads);
    private readonly Task _all;
    private volatile ExceptionDispatchInfo? _failure;

    /// <param name="snapshots">Reads the states.</param>
    /// <param name="generations">The generations of the stream. Those that are read are left out.</param>
    /// <param name="waiter">The waiter of the stream.</param>
    /// <param name="context">The request.</param>
    public FirstReads(FirstSnapshotReader snapshots, IEnumerable<StreamedGeneration> generations, Waiter waiter, HttpContext context)
    {
        (_snapshots, _waiter, _requestId, _lease) = (snapshots, waiter, context.TraceIdentifier, RateLimitLease.Of(context));
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        _all = Task.WhenAll(generations.Where(static generation => !generation.IsRead).Select(ReadAsync));
    }

    /// <summary>Throws the exception of a read that the gateway did not expect.</summary>
    public void ThrowIfFailed() => _failure?.Throw();

    public async ValueTask DisposeAsync()
    {
        await _cancellation.CancelAsync();
        await _all;
        _cancellation.Dispose();
        _upstreamReads.Dispose();
    }

    /// <summary>Does not throw.</summary>
    private async Task ReadAsync(StreamedGeneration generation)
    {
        try
        {
            var snapshot = await _snapshots.FindAsync(generation.Id, generation.Target) ?? await FetchAsync(generation);
            if (_snapshots.IsDeleted(generation.Target, snapshot))
            {
                generation.SetAbsent(snapshot);
            }
        }
        catch (UpstreamException)
        {
            // Polling continues.
        }
        catch (OperationCanceledException) when (_cancellation.IsCancellationRequested)
        {
            // The stream has ended.
        }
#pragma warning disable CA1031 // the thread that sends throws it
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _failure = ExceptionDispatchInfo.Capture(exception);
        }
        finally
        {
            generation.SetRead();
            _waiter.Signal(WaiterSignals.StateChanged); // also if the state is the one that the poll target had: this stream may not have sent it
        }
    }

    private async Task<GenerationSnapshot> FetchAsync(StreamedGeneration generation)
    {
        await _upstreamReads.WaitAsync(_cancellation.Token);
        try
        {
            _cancellation.Token.ThrowIfCancellationRequested(); // a read that was cancelled may have let this read start
            return _snapshots.FindRecent(generation.Target, generation.Id) // a poll may have read it meanwhile
                ?? await _snapshots.FetchAsync(generation.Id, generation.Target, _requestId, _lease, _cancellation.Token);
        }
        finally
        {
            _upstreamReads.Release();
        }
    }
}
