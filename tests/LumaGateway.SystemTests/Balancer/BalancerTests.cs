using System.Net;
using System.Text;

namespace LumaGateway.SystemTests.Balancer;

/// <summary>What passes the real nginx and the real HAProxy, with the files of infra/. Needs nginx, haproxy, and redis-server or Garnet.</summary>
public sealed class BalancerTests(SharedFleet shared) : IClassFixture<SharedFleet>
{
    private const int Requests = 20;

    [Fact]
    public async Task Callers_reach_the_gateway_as_themselves_over_HTTP_2_and_on_one_connection()
    {
        var system = await shared.GetAsync();
        foreach (var balancer in system.Balancers)
        {
            (Uri, Version)[] ways = [(balancer.Address, HttpVersion.Version11), (balancer.SecureAddress, HttpVersion.Version11), (balancer.SecureAddress, HttpVersion.Version20)];
            foreach (var (address, version) in ways)
            {
                var connections = 0;
                using var client = balancer.CreateClient(address, version, () => connections++, IPAddress.Parse("127.0.0.7"));
                client.DefaultRequestHeaders.TryAddWithoutValidation("X-Forwarded-For", "203.0.113.9");
                for (var i = 0; i < Requests; i++)
                {
                    using var purge = Request(HttpMethod.Delete, $"/generations/purged-{balancer.Program}/cache", version);
                    using var answer = await client.SendAsync(purge, TestContext.Current.CancellationToken);
                    Assert.Equal((HttpStatusCode.NoContent, version), (answer.StatusCode, answer.Version));
                }

                Assert.Equal(1, connections);
            }

            // A gateway writes its log after it has answered.
            await Wait.UntilAsync(() => Audited(balancer).Count >= ways.Length * Requests, () => string.Join('\n', Audited(balancer)));
            Assert.Equal(ways.Length * Requests, Audited(balancer).Count);
            Assert.All(Audited(balancer), line => Assert.Contains("system-tests at 127.0.0.7 used", line, StringComparison.Ordinal));
        }

        List<string> Audited(BalancerProcess balancer) => [.. system.Fleet.Replicas.SelectMany(replica => replica.Process.Output)
            .Where(line => line.Contains("used permission", StringComparison.Ordinal) && line.Contains($"purged-{balancer.Program}", StringComparison.Ordinal))];
    }

    [Theory]
    [InlineData(BalancerProcess.Nginx)]
    [InlineData(BalancerProcess.HAProxy)]
    public async Task An_event_and_a_heartbeat_pass_while_the_stream_goes_on(string program)
    {
        var (sandbox, balancer) = await SystemAsync(program);
        foreach (var (address, version) in Ways(balancer))
        {
            var id = $"followed-{program}-{version.Major}";
            await sandbox.MoveAsync(id, "processing");
            using var client = balancer.CreateClient(address, version);
            using var request = Request(HttpMethod.Get, $"/generations/{id}/events", version);
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            await using var stream = await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);

            // Each is read before the next is caused: what a balancer kept back would not come.
            await ReadUntilAsync(stream, "\"state\":\"processing\"");
            await ReadUntilAsync(stream, ":\n\n");
            await ReadUntilAsync(stream, ":\n\n");
            await sandbox.MoveAsync(id, "completed");
            await ReadUntilAsync(stream, "\"state\":\"completed\"");
        }
    }

    [Theory]
    [InlineData(BalancerProcess.Nginx)]
    [InlineData(BalancerProcess.HAProxy)]
    public async Task A_wait_is_held_until_there_is_news(string program)
    {
        var (sandbox, balancer) = await SystemAsync(program);
        foreach (var (address, version) in Ways(balancer))
        {
            var id = $"waited-for-{program}-{version.Major}";
            await sandbox.MoveAsync(id, "processing");
            using var client = balancer.CreateClient(address, version);
            using var request = Request(HttpMethod.Get, $"/generations/{id}", version);
            request.Headers.TryAddWithoutValidation("Prefer", "wait=110"); // less than infra/ gives a silent gateway
            var waiting = client.SendAsync(request, TestContext.Current.CancellationToken);
            await Wait.UntilAsync(async () => await sandbox.CountAsync(id) > 0, () => "Nobody asked.");

            await sandbox.MoveAsync(id, "completed");

            using var answer = await waiting;
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Contains("\"state\":\"completed\"", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
    }

    private async Task<(SandboxProcess Sandbox, BalancerProcess Balancer)> SystemAsync(string program)
    {
        var system = await shared.GetAsync();
        return (system.Fleet.Sandbox, system.Balancers.Single(balancer => balancer.Program == program));
    }

    private static (Uri Address, Version Version)[] Ways(BalancerProcess balancer) =>
        [(balancer.Address, HttpVersion.Version11), (balancer.SecureAddress, HttpVersion.Version20)];

    private static HttpRequestMessage Request(HttpMethod method, string path, Version version) =>
        new(method, path) { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };

    /// <summary>Fails if the stream ends before.</summary>
    private static async Task ReadUntilAsync(Stream stream, string wanted)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (!text.ToString().Contains(wanted, StringComparison.Ordinal))
        {
            var length = await stream.ReadAsync(buffer, TestContext.Current.CancellationToken);
            Assert.True(length > 0, $"The stream ended without {wanted}:\n{text}");
            text.Append(Encoding.UTF8.GetString(buffer, 0, length));
        }
    }
}
