using LumaGateway.SystemTests.Redis;

namespace LumaGateway.SystemTests.Upstream;

/// <summary>All callers poll what is not finished yet, through all replicas. Needs redis-server or Garnet.</summary>
[Collection(typeof(SharedSystem))]
public sealed class UnfinishedTests(SharedSystem shared)
{
    /// <summary><c>Freshness:UnfinishedMin</c> as it is shipped.</summary>
    private static readonly TimeSpan ShortestWindow = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Polls_through_all_replicas_cost_one_upstream_request_for_each_id_and_freshness_window()
    {
        string[] ids = [.. Enumerable.Range(0, 5).Select(i => $"processing-polled-{i}")];
        var isShared = false;

        await Wait.UntilAsync(
            async () =>
            {
                foreach (var (replica, id) in shared.Fleet.Replicas.SelectMany(replica => ids.Select(id => (replica, id))))
                {
                    using var response = await replica.GetAsync(id);
                    Assert.Contains("\"state\":\"processing\"", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
                    isShared |= response.Headers.GetValues("Cache-Status").Single().StartsWith("LumaGateway; hit", StringComparison.Ordinal);
                }

                var counts = (await shared.Sandbox.CountsAsync()).ById;
                return isShared && ids.All(id => counts.GetValueOrDefault(id) >= 3);
            },
            () => "They are not asked for again, or nothing is shared.");

        foreach (var id in ids)
        {
            Gaps.AssertAtLeast(ShortestWindow, await shared.Sandbox.ArrivalsAsync(id));
        }
    }
}
