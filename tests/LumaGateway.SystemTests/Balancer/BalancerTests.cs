using System.Net;
using System.Text;

namespace LumaGateway.SystemTests.Balancer;

/// <summary>Requests through nginx and HAProxy with the files of infra/. Needs nginx, haproxy, and redis-server or Garnet.</summary>
public sealed class BalancerTests(SharedReplicaGroup shared) : IClassFixture<SharedReplicaGroup>
{
    private const int Requests = 20;

    [Fact]
    public async Task Balancers_forward_the_callers_address_over_HTTP_1_and_HTTP_2_on_one_connection()
    {
        var system = await shared.GetAsync();
        foreach (var balancer in system.Balancers)
        {
            (Uri, Version)[] endpoints = [(balancer.Address, HttpVersion.Version11), (balancer.SecureAddress, HttpVersion.Version11), (balancer.SecureAddress, HttpVersion.Version20)];
            foreach (var (address, version) in endpoints)
            {
                var connections = 0;
                using var client = balancer.CreateClient(address, version, () => connections++, IPAddress.Parse("127.0.0.7"));
                client.DefaultRequestHeaders.TryAddWithoutValidation("X-Forwarded-For", "203.0.113.9");
                for (var i = 0; i < Requests; i++)
                {
                    using var purge = Request(HttpMethod.Delete, $"/generations/purged-{balancer.Program}/cache", version);
                    using var response = await client.SendAsync(purge, TestContext.Current.CancellationToken);
                    Assert.Equal((HttpStatusCode.NoContent, version), (response.StatusCode, response.Version));
                }

                Assert.Equal(1, connections);
            }

            // A gateway writes its log after the response.
            await Wait.UntilAsync(() => AuditEvents(balancer).Count >= endpoints.Length * Requests, () => string.Join('\n', AuditEvents(balancer)));
            Assert.Equal(endpoints.Length * Requests, AuditEvents(balancer).Count);
            Assert.All(AuditEvents(balancer), line => Assert.Contains("system-tests at 127.0.0.7 used", line, StringComparison.Ordinal));
        }

        List<string> AuditEvents(BalancerProcess balancer) => [.. system.Group.Replicas.SelectMany(replica => replica.Process.Output)
            .Where(line => line.Contains("used permission", StringComparison.Ordinal) && line.Contains($"purged-{balancer.Program}", StringComparison.Ordinal))];
    }

    [Theory]
    [InlineData(BalancerProcess.Nginx)]
    [InlineData(BalancerProcess.HAProxy)]
    public async Task Events_and_heartbeats_are_not_buffered(string program)
    {
        var (sandbox, balancer) = await SystemAsync(program);
        foreach (var (address, version) in Endpoints(balancer))
        {
            var id = $"followed-{program}-{version.Major}";
            await sandbox.SetStateAsync(id, "processing");
            using var client = balancer.CreateClient(address, version);
            using var request = Request(HttpMethod.Get, $"/generations/{id}/events", version);
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            await using var stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);

            // Each is read before the next is caused, so that a buffering balancer fails the test.
            await ReadUntilAsync(stream, "\"state\":\"processing\"");
            await ReadUntilAsync(stream, ":\n\n");
            await ReadUntilAsync(stream, ":\n\n");
            await sandbox.SetStateAsync(id, "completed");
            await ReadUntilAsync(stream, "\"state\":\"completed\"");
        }
    }

    [Theory]
    [InlineData(BalancerProcess.Nginx)]
    [InlineData(BalancerProcess.HAProxy)]
    public async Task A_long_poll_lasts_until_the_state_changes(string program)
    {
        var (sandbox, balancer) = await SystemAsync(program);
        foreach (var (address, version) in Endpoints(balancer))
        {
            var id = $"waited-for-{program}-{version.Major}";
            await sandbox.SetStateAsync(id, "processing");
            using var client = balancer.CreateClient(address, version);
            using var request = Request(HttpMethod.Get, $"/generations/{id}", version);
            request.Headers.TryAddWithoutValidation("Prefer", "wait=110"); // less than the read timeout in infra/
            var waiting = client.SendAsync(request, TestContext.Current.CancellationToken);
            await Wait.UntilAsync(async () => await sandbox.CountAsync(id) > 0, () => "The upstream got no request.");

            await sandbox.SetStateAsync(id, "completed");

            using var response = await waiting;
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Contains("\"state\":\"completed\"", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
    }

    private async Task<(SandboxProcess Sandbox, BalancerProcess Balancer)> SystemAsync(string program)
    {
        var system = await shared.GetAsync();
        return (system.Group.Sandbox, system.Balancers.Single(balancer => balancer.Program == program));
    }

    private static (Uri Address, Version Version)[] Endpoints(BalancerProcess balancer) =>
        [(balancer.Address, HttpVersion.Version11), (balancer.SecureAddress, HttpVersion.Version20)];

    private static HttpRequestMessage Request(HttpMethod method, string path, Version version) =>
        new(method, path) { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };

    /// <summary>Reads until the text. Fails if the stream ends before.</summary>
    private static async Task ReadUntilAsync(Stream stream, string expected)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (!text.ToString().Contains(expected, StringComparison.Ordinal))
        {
            var length = await stream.ReadAsync(buffer, TestContext.Current.CancellationToken);
            Assert.True(length > 0, $"The stream ended without {expected}:\n{text}");
            text.Append(Encoding.UTF8.GetString(buffer, 0, length));
        }
    }
}
