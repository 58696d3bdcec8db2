using System.Runtime.CompilerServices;
using LumaGateway.Caching;
using LumaGateway.Contracts;

namespace LumaGateway.Tests.Caching;

/// <summary>Single flight: concurrent callers of one key share one fetch. Needs nothing.</summary>
public sealed class SingleFlightTests
{
    private static readonly GenerationId Key = GenerationId.Parse("g1", null);

    private readonly SingleFlight<string> _fetches = new();
    private int _started;

    [Fact]
    public async Task Callers_that_arrive_during_a_fetch_share_its_result()
    {
        var work = new TaskCompletionSource<string>();

        var first = Join(work.Task, out var firstJoined);
        var second = Join(work.Task, out var secondJoined);
        Assert.False(second.Completion.IsCompleted);
        work.SetResult("result");

        Assert.Equal((false, true), (firstJoined, secondJoined));
        Assert.Equal(("result", "result"), (await first.Completion, await second.Completion));
        Assert.Equal(1, _started);
    }

    [Fact]
    public async Task Another_key_starts_another_fetch()
    {
        var work = new TaskCompletionSource<string>();
        var first = Join(work.Task, out _);

        var other = _fetches.JoinOrStart(GenerationId.Parse("g2", null), _ => Task.FromResult("other"), out var joined);

        Assert.False(joined);
        Assert.Equal("other", await other.Completion);
        Assert.Equal("g2", other.Key.Value);
        Assert.False(first.Completion.IsCompleted);
    }

    [Fact]
    public async Task A_call_after_completion_starts_a_new_fetch()
    {
        var first = Join(Task.FromResult("first"), out _);
        Assert.Equal("first", await first.Completion);

        var second = Join(Task.FromResult("second"), out var joined);

        Assert.False(joined);
        Assert.Equal("second", await second.Completion);
    }

    [Fact]
    public async Task An_exception_reaches_all_waiting_callers_and_no_later_caller()
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
    public async Task A_fetch_that_throws_synchronously_is_handled_as_any_other_exception()
    {
        var fetch = _fetches.JoinOrStart(Key, _ => throw new InvalidOperationException("at once"), out _);

        Assert.Equal("at once", (await Assert.ThrowsAsync<InvalidOperationException>(() => fetch.Completion)).Message);
        Join(Task.FromResult("works"), out var joined);
        Assert.False(joined);
    }

    [Fact]
    public void An_exception_without_waiting_callers_is_not_reported_as_unobserved()
    {
        var unobserved = 0;
        var fault = new InvalidOperationException("no caller waits");
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
            var completion = StartFailing(fault);
            for (var collections = 0; completion.IsAlive && collections < 100; collections++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }

            Assert.False(completion.IsAlive);
            Assert.Equal(0, unobserved);
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= count;
        }
    }

    [Fact]
    public async Task A_cancelled_caller_does_not_cancel_the_fetch()
    {
        var work = new TaskCompletionSource<string>();
        using var disconnected = new CancellationTokenSource();
        var first = Join(work.Task, out _).Completion.WaitAsync(disconnected.Token); // the caller that started the fetch

        await disconnected.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        var second = Join(work.Task, out var joined);
        work.SetResult("result");

        Assert.True(joined);
        Assert.Equal("result", await second.Completion);
        Assert.Equal(1, _started);
    }

    [Fact]
    public async Task Complete_gives_all_callers_a_result_and_the_later_result_is_ignored()
    {
        var work = new TaskCompletionSource<string>();
        var first = Join(work.Task, out _);

        first.Complete("early");
        var second = Join(work.Task, out var joined);

        Assert.True(joined); // the work still runs and is not started twice
        Assert.Equal(("early", "early"), (await first.Completion, await second.Completion));
        work.SetResult("late");
        await EndAsync(first);
        Assert.Equal("early", await second.Completion);
    }

    [Fact]
    public async Task An_exception_after_Complete_is_ignored()
    {
        var work = new TaskCompletionSource<string>();
        var fetch = Join(work.Task, out _);

        fetch.Complete("early");
        work.SetException(new InvalidOperationException("late"));
        await EndAsync(fetch);

        Assert.Equal("early", await fetch.Completion);
    }

    [Fact]
    public async Task The_first_call_of_Complete_counts()
    {
        var fetch = Join(new TaskCompletionSource<string>().Task, out _);

        fetch.Complete("first");
        fetch.Complete("second");

        Assert.Equal("first", await fetch.Completion);
    }

    [Fact]
    public async Task After_an_invalidation_the_next_caller_starts_a_new_fetch_and_waiting_callers_get_the_old_result()
    {
        var old = new TaskCompletionSource<string>();
        var before = Join(old.Task, out _);
        Assert.False(before.IsInvalidated);

        _fetches.Invalidate(Key);
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
    public async Task An_invalidated_fetch_that_ends_late_does_not_end_the_one_started_after_it(bool succeeds)
    {
        var (old, current) = (new TaskCompletionSource<string>(), new TaskCompletionSource<string>());
        var before = Join(old.Task, out _);
        _fetches.Invalidate(Key);
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
    public void Invalidating_a_key_without_a_fetch_in_flight_changes_nothing()
    {
        var other = Join(new TaskCompletionSource<string>().Task, out _);

        _fetches.Invalidate(GenerationId.Parse("g2", null));

        Assert.False(other.IsInvalidated);
        Assert.Same(other, Join(Task.FromResult("not started"), out _));
    }

    [Fact]
    public async Task One_of_many_concurrent_callers_starts_the_fetch()
    {
        var work = new TaskCompletionSource<string>();
        using var together = new Barrier(8);

        var fetches = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Factory.StartNew(
            () =>
            {
                together.SignalAndWait(TestContext.Current.CancellationToken);
                return Join(work.Task, out var _);
            },
            TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)));

        Assert.Equal(1, _started);
        Assert.Single(fetches.Distinct());
        work.SetResult("result");
        Assert.Equal("result", await fetches[0].Completion);
    }

    [Fact]
    public void Callers_continue_on_another_thread_than_the_one_that_completes()
    {
        var fetch = Join(new TaskCompletionSource<string>().Task, out _);
        var thread = Environment.CurrentManagedThreadId;
        var threadOfCaller = 0;
        using var continued = new ManualResetEventSlim();
        _ = fetch.Completion.ContinueWith(
            _ =>
            {
                threadOfCaller = Environment.CurrentManagedThreadId;
                continued.Set();
            },
            TestContext.Current.CancellationToken,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);

        fetch.Complete("result");

        Assert.True(continued.Wait(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken)); // blocks this thread, so that the caller cannot continue on it
        Assert.NotEqual(thread, threadOfCaller);
    }

    private SingleFlight<string>.InFlightFetch Join(Task<string> work, out bool joined) => _fetches.JoinOrStart(
        Key,
        _ =>
        {
            Interlocked.Increment(ref _started);
            return work;
        },
        out joined);

    /// <summary>Waits until the work of a fetch has ended and its key is free.</summary>
    private async Task EndAsync(SingleFlight<string>.InFlightFetch fetch)
    {
        var next = new TaskCompletionSource<string>();
        await Eventually.TrueAsync(() => !ReferenceEquals(Join(next.Task, out _), fetch));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference StartFailing(Exception fault) => new(_fetches.JoinOrStart(Key, _ => throw fault, out _).Completion);
}
