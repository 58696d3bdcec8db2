using StackExchange.Redis;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Searches logs, metrics, status pages and Redis for secrets.</summary>
internal static class SecretScan
{
    public static async Task RunAsync(ChaosSystem system, Findings findings)
    {
        using var scraper = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        foreach (var replica in system.Replicas)
        {
            Scan($"the output of replica {replica.Number}", replica.Log, "LumaGateway");
            Scan("metrics", await scraper.GetStringAsync(new Uri($"http://127.0.0.1:{replica.ManagementPort}/metrics"), TestContext.Current.CancellationToken), "luma_gateway");
            Scan("status", await scraper.GetStringAsync(new Uri($"http://127.0.0.1:{replica.ManagementPort}/status"), TestContext.Current.CancellationToken), "LumaGateway");
        }

        var master = await system.Redis.MasterAsync();
        Scan("Redis", await DumpAsync(master), "done-cached");

        // The expected text shows that the scanned text is not empty.
        void Scan(string where, string text, string expected)
        {
            Assert.Contains(expected, text, StringComparison.OrdinalIgnoreCase);
            var secrets = text.Split('\n').Where(Secrets.AreIn).Take(3).ToList();
            findings.Check(Invariant.NoSecretLeaks, secrets.Count == 0, () => $"In {where}: {string.Join('\n', secrets)}");
        }
    }

    private static async Task<string> DumpAsync(RedisServer server)
    {
        var data = await server.DataAsync();
        var lines = new List<string>();
        foreach (var key in await server.KeysAsync("*"))
        {
            lines.Add($"{key}: {await ValueAsync(data, key)}");
        }

        return string.Join('\n', lines);
    }

    private static async Task<string> ValueAsync(IDatabase data, RedisKey key) => await data.KeyTypeAsync(key) switch
    {
        RedisType.Hash => string.Join(' ', await data.HashGetAllAsync(key)),
        RedisType.SortedSet => string.Join(' ', await data.SortedSetRangeByRankAsync(key)),
        RedisType.Set => string.Join(' ', await data.SetMembersAsync(key)),
        RedisType.String or RedisType.None => (await data.StringGetAsync(key)).ToString(),
        var type => throw new NotSupportedException($"The scan does not read the type {type} of {key}."),
    };
}
