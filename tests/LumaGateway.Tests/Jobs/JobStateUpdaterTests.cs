using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using LumaGateway.Contracts;
using LumaGateway.Jobs;
using LumaGateway.Problems;
using LumaGateway.Tests.Caching;
using LumaGateway.Tests.Redis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace LumaGateway.Tests.Jobs;

/// <summary>The states that a replica records, and those that it still records while it stops. Needs nothing.</summary>
public sealed class JobStateUpdaterTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly HeldLedger _ledger = new();
    private readonly JobStateUpdater _updater;

    public JobStateUpdaterTests()
    {
        var limits = new JobLimits(new Dictionary<string, SlotLimits>());
        var slots = new JobSlots(
            new MemorySlotStore(TimeProvider.System), limits, Options.Create(new JobsOptions()), new JobMetrics(_services.GetRequiredService<IMeterFactory>(), limits), TimeProvider.System);
        _updater = new JobStateUpdater(_ledger, slots, NullLogger<JobStateUpdater>.Instance);
        for (var i = 0; i < 3; i++)
        {
            _updater.Observe(GenerationId.Parse($"g{i}", null), GenerationState.Completed, null);
        }
    }

    public void Dispose()
    {
        _updater.Dispose();
        _services.Dispose();
    }

    [Fact]
    public async Task A_stopping_replica_records_the_states_that_wait()
    {
        await _updater.StartAsync(CancellationToken.None);
        await _ledger.First.ReachedAsync();
        var stopping = _updater.StopAsync(CancellationToken.None);

        _ledger.First.Release();

        await stopping.WithTimeout();
        Assert.Equal(3, _ledger.Updates);
    }

    [Fact]
    public async Task A_stopping_replica_does_not_wait_for_a_ledger_that_fails_once_for_each_state()
    {
        await _updater.StartAsync(CancellationToken.None);
        await _ledger.First.ReachedAsync();
        var stopping = _updater.StopAsync(CancellationToken.None);

        _ledger.First.Fail(new LedgerUnavailableException());

        await stopping.WithTimeout();
        Assert.Equal(1, _ledger.Updates);
    }

    [Fact]
    public async Task Of_the_interim_states_of_an_id_only_the_first_processing_asks_the_ledger()
    {
        var id = GenerationId.Parse("g9", null);
        foreach (var state in (GenerationState[])[GenerationState.Queued, GenerationState.Processing, GenerationState.Processing, GenerationState.Queued, GenerationState.Processing, GenerationState.Failed])
        {
            _updater.Observe(id, state, null);
        }

        await _updater.StartAsync(CancellationToken.None);
        _ledger.First.Release();

        await Eventually.TrueAsync(() => _ledger.States.Count >= 5);
        Assert.Equal([JobState.Processing, JobState.Failed], _ledger.States.Skip(3));
        await _updater.StopAsync(CancellationToken.None);
    }

    /// <summary>A ledger whose first update is held.</summary>
    private sealed class HeldLedger : IJobLedger
    {
        private int _updates;

        public HeldStep First { get; } = new();

        public int Updates => Volatile.Read(ref _updates);

        public ConcurrentQueue<JobState> States { get; } = new();

        public async Task<Job?> UpdateAsync(GenerationId id, JobState state, string? model)
        {
            if (Interlocked.Increment(ref _updates) == 1)
            {
                await First.HoldAsync();
            }

            States.Enqueue(state);

            return null;
        }

        public ValueTask<Job?> FindAsync(GenerationId id, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<IReadOnlyList<Job?>> FindAsync(IReadOnlyList<GenerationId> ids, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<JobPage> ListAsync(JobQuery query, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task ApplyAsync(JobChange change) => throw new NotSupportedException();

        public Task RememberAsync(GenerationId id, string account, string dialect) => throw new NotSupportedException();
    }
}
