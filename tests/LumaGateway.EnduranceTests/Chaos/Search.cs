using StackExchange.Redis;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Looks for secrets in everything that a run left behind.</summary>
internal static class Search
{
    public static async Task EverywhereAsync(ChaosSystem system, Findings findings)
    {
        using var scraper = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        foreach (var replica in system.Replicas)
        {
            Look($"the output of replica {replica.Number}", replica.Log, "LumaGateway");
            Look("metrics", await scraper.GetStringAsync(new Uri($"http://127.0.0.1:{replica.ManagementPort}/metrics"), TestContext.Current.CancellationToken), "luma_gateway");
            Look("status", await scraper.GetStringAsync(new Uri($"http://127.0.0.1:{replica.ManagementPort}/status"), TestContext.Current.CancellationToken), "LumaGateway");
        }

        var master = await system.Redis.MasterAsync();
        Look("Redis", await DumpAsync(master), "done-treasure");

        // What must be there shows that the search finds what is there.
        void Look(string where, string text, string mustBeThere)
        {
            Assert.Contains(mustBeThere, text, StringComparison.OrdinalIgnoreCase);
            var secrets = text.Split('\n').Where(Secrets.AreIn).Take(3).ToList();
            findings.Check(Invariant.SecretsAreKept, secrets.Count == 0, () => $"In {where}: {string.Join('\n', secrets)}");
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

    private static async Task<string> ValueAsync(IDatabase data, RedisKey key) => await data.KeyTypeAsync(key) is RedisType.Hash
        ? string.Join(' ', await data.HashGetAllAsync(key))
        : (await data.StringGetAsync(key)).ToString();
}
