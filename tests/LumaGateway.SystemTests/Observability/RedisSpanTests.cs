using System.Collections.Concurrent;
using System.Diagnostics;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Telemetry;

namespace LumaGateway.SystemTests.Observability;

/// <summary>The spans of Redis operations. Needs redis-server or Garnet.</summary>
public sealed class RedisSpanTests : IDisposable
{
    private readonly ActivityTraceId _trace = ActivityTraceId.CreateRandom();
    private readonly ConcurrentQueue<Activity> _spans = new();
    private readonly ActivityListener _listener;

    public RedisSpanTests()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Instrumentation.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                if (span.TraceId == _trace)
                {
                    _spans.Enqueue(span);
                }
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task Each_Redis_operation_is_a_client_span_in_the_trace_of_its_caller_without_a_key()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var replica = await CacheReplica.StartAsync(redis.Endpoint);
        var key = GenerationId.Parse("id-of-the-generation", null);

        await TracedAsync(async () =>
        {
            await replica.ReadAsync(key, EntryKind.Final, "final");
            await replica.Cache.FindAsync(GenerationId.Parse("another", null));
            Assert.True(await replica.Cache.PurgeAsync(key));
        });
        await Wait.UntilAsync(() => Task.FromResult(Operations().Count >= 5), () => string.Join(' ', Operations()));

        Assert.Equal(["lock", "publish", "purge", "read", "write"], Operations());
        Assert.All(_spans.Where(IsRedisSpan), span =>
        {
            Assert.Equal((ActivityKind.Client, $"redis {span.GetTagItem("db.operation.name")}"), (span.Kind, span.DisplayName));
            Assert.Equal(ActivityStatusCode.Unset, span.Status);
            Assert.DoesNotContain("id-of-the-generation", string.Join(' ', span.TagObjects), StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task A_failed_Redis_operation_has_an_error_type_without_an_address()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var replica = await CacheReplica.StartAsync(redis.Endpoint);
        redis.Kill();

        await TracedAsync(() => replica.ReadAsync(GenerationId.Parse("subject", null), EntryKind.Final, "final"));
        await Wait.UntilAsync(() => Task.FromResult(_spans.Any(IsRedisSpan)), () => "There is no Redis span.");

        var failed = Assert.Single(_spans, span => span.DisplayName is "redis read");
        Assert.Equal(ActivityStatusCode.Error, failed.Status);
        Assert.StartsWith("StackExchange.Redis.Redis", failed.GetTagItem("error.type") as string, StringComparison.Ordinal);
        Assert.DoesNotContain(redis.Endpoint, failed.StatusDescription + string.Join(' ', failed.TagObjects), StringComparison.Ordinal);
    }

    private static bool IsRedisSpan(Activity span) => span.GetTagItem("db.system.name") is "redis";

    private List<string> Operations() => [.. _spans.Where(IsRedisSpan).Select(span => (string)span.GetTagItem("db.operation.name")!).Distinct().Order(StringComparer.Ordinal)];

    private async Task TracedAsync(Func<Task> act)
    {
        using var request = new Activity("request").SetParentId(_trace, ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded).Start();
        await act();
    }
}
