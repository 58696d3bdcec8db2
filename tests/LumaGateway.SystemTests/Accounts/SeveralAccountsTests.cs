using System.Collections.Concurrent;
using System.Globalization;
using System.Net;

namespace LumaGateway.SystemTests.Accounts;

/// <summary>
/// Mixed calls to four accounts of three dialects through three replicas, one of which is killed. <c>LUMA_ACCOUNT_CALLS</c> sets the number of calls. Needs redis-server.
/// </summary>
public sealed class SeveralAccountsTests
{
    private const int Callers = 8;

    private static readonly int Calls = int.Parse(Environment.GetEnvironmentVariable("LUMA_ACCOUNT_CALLS") ?? "1000", CultureInfo.InvariantCulture);

    private readonly ConcurrentBag<string> _ids = [];
    private readonly ConcurrentBag<string> _failures = [];

    [Fact]
    public async Task No_read_reaches_a_wrong_account_and_creates_are_split_by_weight_while_a_replica_is_killed()
    {
        RedisServer.Require();
        await using var system = await AccountSystem.StartAsync();
        var kill = Calls / 3;
        var called = 0;

        await Task.WhenAll(Enumerable.Range(0, Callers).Select(async caller =>
        {
            var random = new Random(caller);
            while (Interlocked.Increment(ref called) is var call && call <= Calls)
            {
                if (call == kill)
                {
                    system.Group.Replicas[2].Process.Kill();
                }

                await CallAsync(system.Group.Replicas[random.Next(call < kill ? 3 : 2)], random);
            }
        }));

        Assert.Empty(_failures);
        Assert.True(_ids.Count > Calls / 4, $"Only {_ids.Count} generations were created.");
        Assert.Empty(await system.WrongReadsAsync(_ids));
        double a = await system.CreatesAsync("relay-a");
        double b = await system.CreatesAsync("relay-b");
        Assert.InRange(a / (a + b), 0.70, 0.80);
        TestContext.Current.SendDiagnosticMessage("{0} calls, {1} generations, relay-a {2}, relay-b {3}", Calls, _ids.Count, a, b);
    }

    [Fact]
    public async Task Draining_an_account_fails_no_read_and_ends_its_creates()
    {
        RedisServer.Require();
        await using var system = await AccountSystem.StartAsync();
        for (var i = 0; i < 24; i++)
        {
            _ids.Add((await AccountSystem.CreateAsync(system.Group.Replicas[i % 3], kind: 0))!);
        }

        foreach (var replica in system.Group.Replicas.ToList())
        {
            replica.Process.Kill();
        }

        var draining = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => system.Group.AddAsync(("Luma:Accounts:0:Draining", "true"))));
        var before = await system.CreatesAsync("relay-a");
        foreach (var id in _ids)
        {
            await draining[0].ReadAsync(id);
            using var raw = await draining[1].Client.GetAsync(new Uri($"/luma/generations/{id}", UriKind.Relative), TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, raw.StatusCode);
        }

        for (var i = 0; i < 8; i++)
        {
            await AccountSystem.CreateAsync(draining[i % 2], kind: 0);
        }

        Assert.Equal((18, before), (before, await system.CreatesAsync("relay-a")));
        Assert.Empty(await system.WrongReadsAsync(_ids));
    }

    [Fact]
    public async Task A_create_whose_body_cannot_be_kept_for_another_account_is_not_sent()
    {
        RedisServer.Require();
        await using var system = await AccountSystem.StartAsync(("TMPDIR", "/nonexistent"));
        using var content = new StringContent($$"""{"prompt":"{{new string('x', 2_000_000)}}"}""");

        using var response = await system.Group.Replicas[0].Client.PostAsync(new Uri("/luma/generations", UriKind.Relative), content, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Contains("body_storage_unavailable", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal((0, 0), (await system.CreatesAsync("relay-a"), await system.CreatesAsync("relay-b")));
    }

    private async Task CallAsync(GatewayProcess replica, Random random)
    {
        var ids = _ids.ToArray();
        var kind = ids.Length == 0 ? 0 : random.Next(100);
        if (kind < 40)
        {
            if (await AccountSystem.CreateAsync(replica, kind < 24 ? 0 : kind % 2 + 1) is { } id)
            {
                _ids.Add(id);
            }

            return;
        }

        var chosen = ids[random.Next(ids.Length)];
        using var request = new HttpRequestMessage(
            kind < 97 ? HttpMethod.Get : HttpMethod.Delete,
            kind switch
            {
                < 75 => $"/generations/{chosen}",
                < 85 => $"/luma/generations/{chosen}",
                < 97 => $"/generations?ids={chosen},{ids[random.Next(ids.Length)]}",
                _ => $"/generations/{chosen}/cache",
            });
        using var response = await AccountSystem.SendAsync(replica, request);
        if (response is { IsSuccessStatusCode: false } || (kind is >= 85 and < 97 && response is not null
            && (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Contains("\"problem\":{", StringComparison.Ordinal)))
        {
            _failures.Add($"{request.RequestUri}: {(int)response.StatusCode}");
        }
    }
}
