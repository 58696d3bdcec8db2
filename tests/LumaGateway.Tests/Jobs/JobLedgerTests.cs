using LumaGateway.Contracts;
using LumaGateway.Jobs;
using LumaGateway.Problems;
using LumaGateway.Tests.Redis;
using Microsoft.Extensions.Time.Testing;

namespace LumaGateway.Tests.Jobs;

/// <summary>The ledger of jobs, in memory and on a Redis in this process. Needs nothing.</summary>
public sealed class JobLedgerTests
{
    private static readonly GenerationId Id = GenerationId.Parse("g1", null);

    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 11, 26, 12, 0, 0, TimeSpan.Zero));
    private readonly FakeRedis _redis;

    public JobLedgerTests() => _redis = new FakeRedis(_clock);

    public static TheoryData<bool> Stores => [false, true];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>An upstream can repeat the caller's own text, which may have a megabyte.</summary>
    [Fact]
    public void A_job_keeps_at_most_256_characters_of_the_model()
    {
        var job = new Job("g1", "main", "new-api", "tests", "tests", new string('m', 10_000), DateTimeOffset.UnixEpoch, null, JobState.Queued);

        Assert.Equal(new string('m', 256), job.Model);
        Assert.Equal(new string('n', 256), (job with { Model = new string('n', 10_000) }).Model);
        Assert.Equal(job, Job.Deserialize(job.Serialize()));
    }

    [Fact]
    public void The_model_of_a_job_is_cut_between_characters()
    {
        var model = new string('m', 255) + "\U0001F600"; // the 256th UTF-16 unit is the first half of a character
        var job = new Job("g1", "main", "new-api", "tests", "tests", model, DateTimeOffset.UnixEpoch, null, JobState.Queued);

        Assert.Equal(new string('m', 255), job.Model);
        Assert.Equal(job, Job.Deserialize(job.Serialize()));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task The_job_of_an_attempt_replaces_it(bool isRedis)
    {
        var ledger = Create(isRedis);
        var attempt = Attempt();
        var job = attempt with { Key = Id.Value, State = JobState.Queued, Model = "ray-2" };

        await ledger.ApplyAsync(JobChange.Begin(attempt));
        var before = await ledger.FindAsync(Id, Cancelled);
        await ledger.ApplyAsync(JobChange.Complete(attempt, job));

        Assert.Null(before);
        Assert.Equal(job, await ledger.FindAsync(Id, Cancelled));
        Assert.Equal([job, null], await ledger.FindAsync([Id, GenerationId.Parse("g2", null)], Cancelled));
        Assert.DoesNotContain(_redis.Keys, key => key.Contains(Job.AttemptPrefix, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task The_first_job_of_an_id_stays(bool isRedis)
    {
        var ledger = Create(isRedis);
        var first = Attempt() with { Key = Id.Value, State = JobState.Queued };
        await ledger.ApplyAsync(JobChange.Begin(first));

        await ledger.ApplyAsync(JobChange.Begin(first with { Client = "other", Group = "other" }));
        await ledger.RememberAsync(Id, "other", "relay");

        Assert.Equal(first, await ledger.FindAsync(Id, Cancelled));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_found_id_has_an_account_and_no_group(bool isRedis)
    {
        var ledger = Create(isRedis);

        await ledger.RememberAsync(Id, "second", "agents");

        var found = await ledger.FindAsync(Id, Cancelled);
        Assert.Equal(("second", "agents", null, null), (found!.Account, found.Dialect, found.Client, found.Group));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_job_expires_after_the_retention(bool isRedis)
    {
        var ledger = Create(isRedis);
        await ledger.ApplyAsync(JobChange.Begin(Attempt() with { Key = Id.Value }));

        _clock.Advance(TimeSpan.FromDays(30) - TimeSpan.FromSeconds(1));
        Assert.NotNull(await ledger.FindAsync(Id, Cancelled));
        _clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Null(await ledger.FindAsync(Id, Cancelled));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task An_interim_state_does_not_replace_a_final_one(bool isRedis)
    {
        var ledger = Create(isRedis);
        await ledger.ApplyAsync(JobChange.Begin(Attempt() with { Key = Id.Value, State = JobState.Queued }));

        await ledger.UpdateAsync(Id, JobState.Processing, "ray-2");
        var interim = await ledger.FindAsync(Id, Cancelled);
        await ledger.UpdateAsync(Id, JobState.Completed, null);
        await ledger.UpdateAsync(Id, JobState.Processing, null); // another replica sent its request before the job was completed

        Assert.Equal((JobState.Processing, "ray-2"), (interim!.State, interim.Model));
        Assert.Equal(JobState.Completed, (await ledger.FindAsync(Id, Cancelled))!.State);
    }

    [Fact]
    public async Task A_final_state_is_recorded_although_another_replica_changes_the_job_meanwhile()
    {
        var updates = 0;
        var redis = new FakeRedis(_clock)
        {
            ChangeScript = (script, _, values) =>
            {
                if (script == RedisJobLedger.UpdateScript && updates++ == 0)
                {
                    values[0] = "the record before the change of the other replica";
                }
            },
        };
        var ledger = Ledgers.On(redis, _clock);
        await ledger.ApplyAsync(JobChange.Begin(Attempt() with { Key = Id.Value, State = JobState.Queued }));

        await ledger.UpdateAsync(Id, JobState.Completed, null);

        Assert.Equal(JobState.Completed, (await ledger.FindAsync(Id, Cancelled))!.State);
        Assert.Equal(2, updates);
    }

    [Fact]
    public async Task A_full_ledger_in_memory_drops_its_oldest_job()
    {
        var ledger = Ledgers.InMemory(_clock);
        for (var i = 0; i <= MemoryJobLedger.MaxJobs; i++)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(1));
            await ledger.ApplyAsync(JobChange.Begin(Attempt() with { Key = $"g{i}" }));
        }

        Assert.Null(await ledger.FindAsync(GenerationId.Parse("g0", null), Cancelled));
        Assert.NotNull(await ledger.FindAsync(Id, Cancelled));
    }

    [Fact]
    public async Task A_Redis_that_fails_is_no_missing_job()
    {
        var ledger = Create(isRedis: true);
        using var failure = _redis.Fail();

        await Assert.ThrowsAsync<LedgerUnavailableException>(async () => await ledger.FindAsync(Id, Cancelled));
        await Assert.ThrowsAsync<LedgerUnavailableException>(() => ledger.ApplyAsync(JobChange.Begin(Attempt())));
        await Assert.ThrowsAsync<LedgerUnavailableException>(() => ledger.RememberAsync(Id, "a", "relay"));
    }

    [Fact]
    public async Task A_job_signed_by_another_key_or_under_another_id_counts_as_none()
    {
        await Ledgers.On(_redis, _clock, Signers.Of(new string('a', 32))).ApplyAsync(JobChange.Begin(Attempt() with { Key = Id.Value }));

        Assert.Null(await Ledgers.On(_redis, _clock, Signers.Of(new string('b', 32))).FindAsync(Id, Cancelled));
        Assert.NotNull(await Ledgers.On(_redis, _clock, Signers.Of(new string('a', 32))).FindAsync(Id, Cancelled));
    }

    /// <summary>The steps of a rotation (infra/redis.md). A job is signed again only when its state changes, so the old key must verify for <c>Jobs:Retention</c>.</summary>
    [Theory]
    [InlineData(Signers.Key, $"{Signers.Key},{Signers.NewKey}", true)]
    [InlineData(Signers.Key, $"{Signers.NewKey},{Signers.Key}", true)]
    [InlineData(Signers.Key, Signers.NewKey, false)]
    [InlineData($"{Signers.NewKey},{Signers.Key}", Signers.NewKey, true)]
    [InlineData("", Signers.Key, false)]
    [InlineData(Signers.Key, "", false)]
    public async Task A_job_is_found_while_a_key_verifies_it(string written, string read, bool isFound)
    {
        await Ledgers.On(_redis, _clock, Signers.Of(written)).ApplyAsync(JobChange.Begin(Attempt() with { Key = Id.Value }));
        var ledger = Ledgers.On(_redis, _clock, Signers.Of(read));

        Assert.Equal(isFound, await ledger.FindAsync(Id, Cancelled) is not null);
        await ledger.RememberAsync(Id, "other", "relay"); // replaces no record, readable or not
        Assert.Equal(isFound ? "main" : null, (await ledger.FindAsync(Id, Cancelled))?.Account);
        Assert.NotNull(await Ledgers.On(_redis, _clock, Signers.Of(written)).FindAsync(Id, Cancelled));
    }

    [Fact]
    public void Every_name_has_the_same_hash_tag() =>
        Assert.All([JobKeys.AllJobs, JobKeys.Of("g1"), JobKeys.OfGroup("team")], name => Assert.StartsWith("luma-gateway:{ledger}:", name, StringComparison.Ordinal));

    [Fact]
    public void States_have_the_names_of_the_contract() => Assert.All(
        Enum.GetValues<JobState>(),
        state => Assert.Equal(state, JobStates.Parse(JobStates.NameOf(state))));

    private Job Attempt() => new(Job.NewAttemptKey(), "main", "relay", "app", "team", null, _clock.GetUtcNow(), null, JobState.Unknown);

    private IJobLedger Create(bool isRedis) => isRedis ? Ledgers.On(_redis, _clock) : Ledgers.InMemory(_clock);
}
