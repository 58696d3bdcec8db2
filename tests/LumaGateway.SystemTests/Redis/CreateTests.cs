using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace LumaGateway.SystemTests.Redis;

/// <summary>Creates and deletes through several replicas that share one Redis.</summary>
public sealed class CreateTests
{
    private static readonly object Body = new { prompt = "a cat" };

    [Fact]
    public async Task Replicas_that_race_with_one_key_make_one_upstream_post()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var fleet = await Fleet.StartAsync(2, redis.Endpoint);
        await fleet.Sandbox.BreakAsync(new SandboxFault("latency") { Delay = 300, Match = "POST */generations" });

        for (var round = 0; round < 5; round++)
        {
            await fleet.Sandbox.ForgetCountsAsync();
            var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => CreateAsync(fleet.Replicas[i % 2], $"race-{round}")));

            Assert.Equal(1, (await fleet.Sandbox.CountsAsync()).Total);
            Assert.Single(answers, answer => answer.StatusCode is HttpStatusCode.OK);
            Assert.All(answers, answer => Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Conflict));

            // Each replica gives the same answer again, whichever made it.
            var ids = new HashSet<string>();
            foreach (var replica in fleet.Replicas)
            {
                using var again = await CreateAsync(replica, $"race-{round}");
                Assert.True(again.Headers.Contains("Idempotency-Replayed"));
                ids.Add((await again.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("id").GetString()!);
            }

            Assert.Single(ids);
        }
    }

    [Fact]
    public async Task A_create_with_a_key_is_refused_while_redis_is_away_and_nothing_is_sent()
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync();
        await using var fleet = await Fleet.StartAsync(1, redis.Endpoint);
        using var first = await CreateAsync(fleet.Replicas[0], "k1");
        redis.Kill();
        await fleet.Sandbox.ForgetCountsAsync();

        using var away = await CreateAsync(fleet.Replicas[0], "k2");
        var problem = await away.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "idempotency_unavailable"), (away.StatusCode, problem.GetProperty("code").GetString()));
        Assert.NotNull(away.Headers.RetryAfter);
        Assert.Equal(0, (await fleet.Sandbox.CountsAsync()).Total);
    }

    [Fact]
    public async Task A_replica_killed_in_the_middle_of_a_create_leaves_its_outcome_unknown_and_no_other_repeats_it()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var fleet = await Fleet.StartAsync(2, redis.Endpoint, ("Passthrough:CreateTimeout", "00:00:01"));
        await fleet.Sandbox.BreakAsync(new SandboxFault("hang") { Match = "POST */generations" });
        var dying = CreateAsync(fleet.Replicas[0], "k1");
        await Wait.UntilAsync(async () => (await fleet.Sandbox.CountsAsync()).Total == 1, TimeSpan.FromSeconds(10), () => "The create was not sent.");
        fleet.Replicas[0].Process.Kill();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => dying);

        using var other = await CreateAsync(fleet.Replicas[1], "k1");
        var problem = await other.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);

        Assert.Equal((HttpStatusCode.Conflict, "create_in_progress"), (other.StatusCode, problem.GetProperty("code").GetString()));
        Assert.Equal(1, (await fleet.Sandbox.CountsAsync()).Total);
    }

    [Fact]
    public async Task A_delete_through_one_replica_is_forgotten_by_all()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var fleet = await Fleet.StartAsync(2, redis.Endpoint, ("Luma:Dialect", "dream-machine"));
        var sandbox = new Uri(fleet.Sandbox.Address, "dream-machine/v1").AbsoluteUri;
        var replicas = new[] { await fleet.AddAsync(("Luma:BaseAddress", sandbox)), await fleet.AddAsync(("Luma:BaseAddress", sandbox)) };
        foreach (var replica in replicas)
        {
            using var read = await replica.Client.GetAsync(new Uri("/generations/done-1", UriKind.Relative), TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        }

        await fleet.Sandbox.BreakAsync(new SandboxFault("status") { Status = 404, Match = "GET */generations/done-1" });
        using var deleted = await replicas[0].Client.DeleteAsync(new Uri("/luma/generations/done-1", UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        foreach (var replica in replicas)
        {
            await Wait.UntilAsync(
                async () =>
                {
                    using var gone = await replica.Client.GetAsync(new Uri("/generations/done-1", UriKind.Relative), TestContext.Current.CancellationToken);
                    return gone.StatusCode is HttpStatusCode.NotFound;
                },
                TimeSpan.FromSeconds(1),
                () => "A replica goes on with what was deleted.");
        }
    }

    private static async Task<HttpResponseMessage> CreateAsync(GatewayProcess replica, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/luma/generations") { Content = JsonContent.Create(Body) };
        request.Headers.Add("Idempotency-Key", key);
        return await replica.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
