using System.Threading.Channels;
using LumaGateway.Contracts;
using LumaGateway.Problems;

namespace LumaGateway.Jobs;

/// <summary>
/// Records the states that the gateway sees, in the background: the final ones, which end the slots of their jobs, and the first <c>processing</c> of an id. A state is lost if the ledger fails, or while
/// <see cref="MaxQueued"/> states wait: the list of jobs then shows the earlier state. Thread-safe.
/// </summary>
internal sealed partial class JobStateUpdater(IJobLedger ledger, JobSlots slots, ILogger<JobStateUpdater> logger) : BackgroundService
{
    private const int MaxQueued = 10_000;

    /// <summary>About 200 bytes an id. For an id that has left the memory, the next <c>processing</c> costs one more read of the ledger.</summary>
    private const int RecentProcessing = 50_000;

    private readonly RecentIds<bool> _processing = new(RecentProcessing);

    private readonly Channel<(GenerationId Id, JobState State, string? Model)> _seen =
        Channel.CreateBounded<(GenerationId, JobState, string?)>(new BoundedChannelOptions(MaxQueued) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    /// <summary>The upstream returned a generation. Returns at once.</summary>
    public void Observe(GenerationId id, GenerationState state, string? model)
    {
        if (state is GenerationState.Completed or GenerationState.Failed || (state is GenerationState.Processing && !_processing.TryGet(id, out _) && _processing.Set(id, true)))
        {
            _seen.Writer.TryWrite((id, JobStates.Of(state), model));
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var (id, state, model) in _seen.Reader.ReadAllAsync(stoppingToken))
            {
                if (!await TryUpdateAsync(id, state, model) && stoppingToken.IsCancellationRequested)
                {
                    return; // each further state could delay the shutdown by the timeout of the ledger
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The service stops. If the start fails, the host would log the exception as critical.
        }
    }

    /// <summary>Records a state, and ends the slot of the job if it is final. Returns false if the ledger is unavailable. Never throws.</summary>
    internal async Task<bool> TryUpdateAsync(GenerationId id, JobState state, string? model)
    {
        try
        {
            if (await ledger.UpdateAsync(id, state, model) is { } job && state.IsFinal())
            {
                await slots.ReleaseAsync(job.Account, id);
            }
        }
        catch (LedgerUnavailableException)
        {
            return false; // the ledger keeps the earlier state
        }
#pragma warning disable CA1031 // the next states must be recorded, whatever exception ends this one
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.UpdateFailed(logger, exception);
        }

        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(4324, LogLevel.Error, "Recording the state of a job failed; the ledger keeps its earlier state.")]
        public static partial void UpdateFailed(ILogger logger, Exception exception);
    }
}
