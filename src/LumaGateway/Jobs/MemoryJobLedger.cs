using LumaGateway.Contracts;
using Microsoft.Extensions.Options;

namespace LumaGateway.Jobs;

/// <summary>
/// Keeps the jobs in this process, for a gateway without Redis: at most <see cref="MaxJobs"/>. A full ledger drops its oldest job, and a restart drops all.
/// </summary>
internal sealed class MemoryJobLedger(IOptions<JobsOptions> options, TimeProvider clock) : IJobLedger
{
    /// <summary>About 100 MiB with the longest names.</summary>
    public const int MaxJobs = 100_000;

    private readonly Lock _gate = new();
    private readonly TimeSpan _retention = options.Value.Retention;
    private readonly Dictionary<string, Job> _jobs = new(StringComparer.Ordinal);
    private readonly SortedSet<Job> _byTime = new(Comparer<Job>.Create(
        static (a, b) => a.Key == b.Key ? 0 : JobPosition.Of(a).IsBefore(JobPosition.Of(b)) ? 1 : -1));

    public ValueTask<Job?> FindAsync(GenerationId id, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            RemoveExpired();
            return ValueTask.FromResult(_jobs.GetValueOrDefault(id.Value));
        }
    }

    public ValueTask<IReadOnlyList<Job?>> FindAsync(IReadOnlyList<GenerationId> ids, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            RemoveExpired();
            return ValueTask.FromResult<IReadOnlyList<Job?>>([.. ids.Select(id => _jobs.GetValueOrDefault(id.Value))]);
        }
    }

    public Task<JobPage> ListAsync(JobQuery query, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            RemoveExpired();
            var jobs = _byTime.Reverse()
                .Where(job => job.Group is not null && (query.Group is null || job.Group == query.Group) && job.CreatedAt >= query.From && job.CreatedAt <= query.To)
                .Where(job => query.After?.IsBefore(JobPosition.Of(job)) is not false)
                .Take(query.Count)
                .ToList();
            return Task.FromResult(new JobPage(jobs, jobs.Count < query.Count ? null : JobPosition.Of(jobs[^1])));
        }
    }

    public Task ApplyAsync(JobChange change)
    {
        lock (_gate)
        {
            RemoveExpired();
            if (change.Remove is { } attempt && _jobs.Remove(attempt.Key, out var removed))
            {
                _byTime.Remove(removed);
            }

            if (change.Add is { } job && _jobs.TryAdd(job.Key, job))
            {
                _byTime.Add(job);
            }
        }

        return Task.CompletedTask;
    }

    public Task<Job?> UpdateAsync(GenerationId id, JobState state, string? model)
    {
        lock (_gate)
        {
            if (_jobs.TryGetValue(id.Value, out var job) && job.CanBecome(state))
            {
                var updated = job with { State = state, Model = job.Model ?? model };
                _byTime.Remove(job);
                _byTime.Add(updated);
                _jobs[id.Value] = updated;
            }

            return Task.FromResult(job);
        }
    }

    public Task RememberAsync(GenerationId id, string account, string dialect) => ApplyAsync(JobChange.Begin(
        new Job(id.Value, account, dialect, Client: null, Group: null, Model: null, clock.GetUtcNow(), IdempotencyKeyHash: null, JobState.Queued)));

    private void RemoveExpired()
    {
        var oldest = clock.GetUtcNow() - _retention;
        while (_byTime.Min is { } job && (job.CreatedAt <= oldest || _byTime.Count > MaxJobs))
        {
            _jobs.Remove(job.Key);
            _byTime.Remove(job);
        }
    }
}
