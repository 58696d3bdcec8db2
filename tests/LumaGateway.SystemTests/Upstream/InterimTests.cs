using LumaGateway.SystemTests.Redis;

namespace LumaGateway.SystemTests.Upstream;

/// <summary>Callers poll interim generations through all replicas. Needs redis-server or Garnet.</summary>
[Collection(typeof(SharedSystem))]
public sealed class InterimTests(SharedSystem shared)
{
    /// <summary><c>Freshness:InterimMin</c> by default.</summary>
    private static readonly TimeSpan FreshnessWindow = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Polls_through_all_replicas_cause_one_upstream_request_for_each_id_and_freshness_window()
    {
        string[] ids = [.. Enumerable.Range(0, 5).Select(i => $"processing-polled-{i}")];
        var isShared = false;

        await Wait.UntilAsync(
            async () =>
            {
                foreach (var (replica, id) in shared.Group.Replicas.SelectMany(replica => ids.Select(id => (replica, id))))
                {
                    using var response = await replica.GetAsync(id);
                    Assert.Contains("\"state\":\"processing\"", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
                    isShared |= response.Headers.GetValues("Cache-Status").Single().StartsWith("LumaGateway; hit", StringComparison.Ordinal);
                }

                var counts = (await shared.Sandbox.CountsAsync()).ById;
                return isShared && ids.All(id => counts.GetValueOrDefault(id) >= 3);
            },
            () => "The generations are not fetched again, or not shared.");

        foreach (var id in ids)
        {
            Gaps.AssertAtLeast(FreshnessWindow, await shared.Sandbox.ArrivalsAsync(id));
        }
    }
}
