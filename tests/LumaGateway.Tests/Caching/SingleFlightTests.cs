using System.Runtime.CompilerServices;
using LumaGateway.Caching;

namespace LumaGateway.Tests.Caching;

/// <summary>The single flight: concurrent callers of one key share one piece of work. Needs nothing.</summary>
public sealed class SingleFlightTests
{
    private static readonly CacheKey Key = new("g1");

    private readonly SingleFlight<string> _flights = new();
    private int _begun;

    [Fact]
    public async Task Callers_who_come_while_the_work_runs_share_its_result()
    {
        var work = new TaskCompletionSource<string>();

        var first = Join(work.Task, out var firstJoined);
        var second = Join(work.Task, out var secondJoined);
        Assert.False(second.Completion.IsCompleted);
        work.SetResult("result");

        Assert.Equal((false, true), (firstJoined, secondJoined));
        Assert.Equal(("result", "result"), (await first.Completion, await second.Completion));
        Assert.Equal(1, _begun);
    }

    [Fact]
    public async Task Another_key_is_other_work()
    {
        var work = new TaskCompletionSource<string>();
        var first = Join(work.Task, out _);

        var other = _flights.JoinOrStart(new CacheKey("g2"), _ => Task.FromResult("other"), out var joined);

        Assert.False(joined);
        Assert.Equal("other", await other.Completion);
        Assert.Equal("g2", other.Key.Id);
        Assert.False(first.Completion.IsCompleted);
    }

    [Fact]
    public async Task A_caller_who_has_the_result_and_asks_again_begins_anew()
    {
        var first = Join(Task.FromResult("first"), out _);
        Assert.Equal("first", await first.Completion);

        var second = Join(Task.FromResult("second"), out var joined);

        Assert.False(joined);
        Assert.Equal("second", await second.Completion);
    }

    [Fact]
    public async Task A_fault_is_shared_by_all_who_wait_and_by_nobody_who_comes_later()
    {
        var work = new TaskCompletionSource<string>();
        var first = Join(work.Task, out _);
        var second = Join(work.Task, out _);

        work.SetException(new InvalidOperationException("broken"));

        Assert.Equal("broken", (await Assert.ThrowsAsync<InvalidOperationException>(() => first.Completion)).Message);
        Assert.Equal("broken", (await Assert.ThrowsAsync<InvalidOperationException>(() => second.Completion)).Message);
        var later = Join(Task.FromResult("works"), out var joined);
        Assert.False(joined);
        Assert.Equal("works", await later.Completion);
    }

    [Fact]
    public async Task Work_that_throws_before_it_awaits_is_a_fault_like_any_other()
    {
        var flight = _flights.JoinOrStart(Key, _ => throw new InvalidOperationException("at once"), out _);

        Assert.Equal("at once", (await Assert.ThrowsAsync<InvalidOperationException>(() => flight.Completion)).Message);
        Join(Task.FromResult("works"), out var joined);
        Assert.False(joined);
    }

    [Fact]
    public void A_fault_that_no_caller_waits_for_is_not_reported_as_unobserved()
    {
        var unobserved = 0;
        var fault = new InvalidOperationException("nobody waits for it");
        EventHandler<UnobservedTaskExceptionEventArgs> count = (_, args) =>
        {
            if (args.Exception.InnerExceptions.Contains(fault))
            {
                Interlocked.Increment(ref unobserved);
            }
        };
        TaskScheduler.UnobservedTaskException += count;
        try
        {
            var landed = FailAndForget(fault);
            for (var collections = 0; landed.IsAlive && collections < 100; collections++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }

            Assert.False(landed.IsAlive);
            Assert.Equal(0, unobserved);
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= count;
        }
    }

    [Fact]
    public async Task A_caller_who_leaves_does_not_end_the_work()
    {
        var work = new TaskCompletionSource<string>();
        using var leaving = new CancellationTokenSource();
        var first = Join(work.Task, out _).Completion.WaitAsync(leaving.Token); // the one for whom the work was begun

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        var second = Join(work.Task, out var joined);
        work.SetResult("result");

        Assert.True(joined);
        Assert.Equal("result", await second.Completion);
        Assert.Equal(1, _begun);
    }

    [Fact]
    public async Task An_early_result_is_given_to_all_while_the_work_goes_on_and_a_later_result_is_not()
    {
        var work = new TaskCompletionSource<string>();
        var first = Join(work.Task, out _);

        first.Complete("early");
        var second = Join(work.Task, out var joined);

        Assert.True(joined); // the work still runs: it is not begun twice
        Assert.Equal(("early", "early"), (await first.Completion, await second.Completion));
        work.SetResult("late");
        await EndAsync(first);
        Assert.Equal("early", await second.Completion);
    }

    [Fact]
    public async Task A_fault_after_an_early_result_reaches_nobody()
    {
        var work = new TaskCompletionSource<string>();
        var flight = Join(work.Task, out _);

        flight.Complete("early");
        work.SetException(new InvalidOperationException("late"));
        await EndAsync(flight);

        Assert.Equal("early", await flight.Completion);
    }

    [Fact]
    public async Task The_first_of_two_results_counts()
    {
        var flight = Join(new TaskCompletionSource<string>().Task, out _);

        flight.Complete("first");
        flight.Complete("second");

        Assert.Equal("first", await flight.Completion);
    }

    [Fact]
    public async Task After_an_invalidation_the_next_caller_begins_anew_and_those_who_wait_get_the_old_result()
    {
        var old = new TaskCompletionSource<string>();
        var before = Join(old.Task, out _);
        Assert.False(before.IsInvalidated);

        _flights.Invalidate(Key);
        var after = Join(Task.FromResult("new"), out var joined);

        Assert.False(joined);
        Assert.Equal((true, false), (before.IsInvalidated, after.IsInvalidated));
        Assert.Equal("new", await after.Completion);
        old.SetResult("old");
        Assert.Equal("old", await before.Completion);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_invalidated_flight_that_ends_late_does_not_end_the_one_begun_after_it(bool succeeds)
    {
        var (old, current) = (new TaskCompletionSource<string>(), new TaskCompletionSource<string>());
        var before = Join(old.Task, out _);
        _flights.Invalidate(Key);
        var after = Join(current.Task, out _);

        if (succeeds)
        {
            old.SetResult("old");
        }
        else
        {
            old.SetException(new InvalidOperationException("old"));
        }

        await Task.WhenAny(before.Completion);
        var third = Join(current.Task, out var joined);

        Assert.True(joined);
        Assert.Same(after, third);
        current.SetResult("current");
        Assert.Equal("current", await third.Completion);
    }

    [Fact]
    public void An_invalidation_of_a_key_without_a_flight_changes_nothing()
    {
        var other = Join(new TaskCompletionSource<string>().Task, out _);

        _flights.Invalidate(new CacheKey("g2"));

        Assert.False(other.IsInvalidated);
        Assert.Same(other, Join(Task.FromResult("not begun"), out _));
    }

    [Fact]
    public async Task Of_many_callers_at_the_same_moment_one_begins_the_work()
    {
        var work = new TaskCompletionSource<string>();
        using var together = new Barrier(8);

        var flights = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Factory.StartNew(
            () =>
            {
                together.SignalAndWait(TestContext.Current.CancellationToken);
                return Join(work.Task, out var _);
            },
            TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)));

        Assert.Equal(1, _begun);
        Assert.Single(flights.Distinct());
        work.SetResult("result");
        Assert.Equal("result", await flights[0].Completion);
    }

    [Fact]
    public void A_caller_goes_on_on_another_thread_than_the_one_that_has_the_result()
    {
        var flight = Join(new TaskCompletionSource<string>().Task, out _);
        var thread = Environment.CurrentManagedThreadId;
        var threadOfCaller = 0;
        using var goneOn = new ManualResetEventSlim();
        _ = flight.Completion.ContinueWith(
            _ =>
            {
                threadOfCaller = Environment.CurrentManagedThreadId;
                goneOn.Set();
            },
            TestContext.Current.CancellationToken,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);

        flight.Complete("result");

        Assert.True(goneOn.Wait(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken)); // keeps this thread busy, so that the caller cannot get it afterwards
        Assert.NotEqual(thread, threadOfCaller);
    }

    private SingleFlight<string>.InFlightFetch Join(Task<string> work, out bool joined) => _flights.JoinOrStart(
        Key,
        _ =>
        {
            Interlocked.Increment(ref _begun);
            return work;
        },
        out joined);

    /// <summary>The work of a flight has ended, whatever its callers were told: its key is free.</summary>
    private async Task EndAsync(SingleFlight<string>.InFlightFetch flight)
    {
        var next = new TaskCompletionSource<string>();
        await Eventually.TrueAsync(() => !ReferenceEquals(Join(next.Task, out _), flight));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference FailAndForget(Exception fault) => new(_flights.JoinOrStart(Key, _ => throw fault, out _).Completion);
}
