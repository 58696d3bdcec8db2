using System.Globalization;
using System.Net;
using LumaGateway.SystemTests.Redis;

namespace LumaGateway.SystemTests.Upstream;

/// <summary>The upstream sends <c>Retry-After</c>. Needs redis-server or Garnet.</summary>
[Collection(typeof(SharedSystem))]
public sealed class RetryAfterTests(SharedSystem shared)
{
    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task Retry_After_of_the_upstream_applies_to_all_replicas(int status)
    {
        await using var group = await shared.StartAsync(2, string.Create(CultureInfo.InvariantCulture, $"pause-{status}"));
        var warm = $"done-warm-{status}";
        await group.Replicas[0].ReadAsync(warm);

        // The gateway waits for one second.
        var shortly = $"done-shortly-{status}";
        await shared.Sandbox.AddFaultAsync(new SandboxFault("status") { Status = status, RetryAfter = 1, Count = 1, Match = $"GET */{shortly}" });
        await group.Replicas[0].ReadAsync(shortly);
        await group.Replicas[1].ReadAsync($"done-after-{status}");
        var arrivals = await shared.Sandbox.ArrivalsAsync(shortly);
        Assert.Equal(2, arrivals.Count);
        Assert.True(arrivals[1].At - arrivals[0].At >= TimeSpan.FromSeconds(0.99), $"The next request arrived after {arrivals[1].At - arrivals[0].At}.");

        // The gateway does not wait for five minutes.
        using var refused = await group.Replicas[0].GetAsync($"fault-status-{status}-r300-pause");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 300);
        await Wait.UntilAsync(
            async () => await StatusAsync(group.Replicas[1], $"done-{Guid.NewGuid():N}") is HttpStatusCode.ServiceUnavailable,
            () => "The other replica is not refused.");
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(group.Replicas[i % 2], $"processing-paused-{status}-{i}"));
        }

        Assert.DoesNotContain((await shared.Sandbox.CountsAsync()).ById.Keys, id => id.StartsWith($"processing-paused-{status}-", StringComparison.Ordinal));
        Assert.Contains("completed", await group.Replicas[1].ReadAsync(warm), StringComparison.Ordinal);
    }

    private static async Task<HttpStatusCode> StatusAsync(GatewayProcess replica, string id)
    {
        using var response = await replica.GetAsync(id);
        return response.StatusCode;
    }
}
