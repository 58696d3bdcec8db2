using System.Net;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Testing;

namespace LumaGateway.Tests.Access;

/// <summary>Settings that change while the gateway runs.</summary>
public sealed class ReloadTests : IDisposable
{
    private readonly Gateway _gateway = new();
    private readonly ChangingSettings _settings = new("{}");
    private readonly WebApplicationFactory<Program> _running;

    public ReloadTests()
    {
        _gateway.Upstream.AlwaysJson(Samples.Failed("g1"));
        _running = _gateway.WithWebHostBuilder(host => host.ConfigureAppConfiguration(settings => settings.Add(_settings)));
    }

    public void Dispose()
    {
        _running.Dispose();
        _gateway.Dispose();
    }

    [Fact]
    public async Task A_reload_adds_and_removes_clients()
    {
        HttpStatusCode[] before = [await StatusAsync(Gateway.Key), await StatusAsync("late-key")];
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.Unauthorized], before);

        _settings.Update(LateClient);

        await Poll.UntilAsync(async () => await StatusAsync("late-key") is HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(Gateway.Key));
    }

    [Theory]
    [InlineData("""{"Access":{"Clients":[{"Name":"tests","KeySha256":"CANARY"}]}}""")]
    [InlineData("""{"Access":{"AllowAnonymous":"CANARY"}}""")]
    [InlineData("""{"Limits":{"Burst":0}}""")]
    [InlineData("""{"Limits":{"Burst":"CANARY"}}""")]
    public async Task Invalid_settings_change_nothing_and_log_a_warning_without_their_values(string invalid)
    {
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(Gateway.Key));

        _settings.Update(invalid);

        await Poll.UntilAsync(() => Logs.GetSnapshot().Any(record => record.Id.Id == 1002));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(Gateway.Key));
        Assert.DoesNotContain(Logs.GetSnapshot(), record => record.Message.Contains("CANARY", StringComparison.Ordinal));

        _settings.Update(LateClient);
        await Poll.UntilAsync(async () => await StatusAsync("late-key") is HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_settings_file_that_cannot_be_parsed_changes_nothing_and_logs_a_warning_without_its_content()
    {
        var folder = Directory.CreateTempSubdirectory("luma-settings-");
        var file = Path.Combine(folder.FullName, "clients.json");
        var other = new ChangingSettings("{}");
        await File.WriteAllTextAsync(file, LateClient, Cancelled);
        await using (var running = _gateway.WithWebHostBuilder(host => host.ConfigureAppConfiguration(settings => settings.AddJsonFile(file, optional: false, reloadOnChange: true).Add(other))))
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync("late-key", running));

            await File.WriteAllTextAsync(file, "{\n\"Access\": CANARY", Cancelled);

            var logs = running.Services.GetFakeLogCollector();
            await Poll.UntilAsync(() => logs.GetSnapshot().Any(record => record.Id.Id == 1002));
            var warning = logs.GetSnapshot().First(record => record.Id.Id == 1002).Message;
            Assert.Contains(file, warning, StringComparison.Ordinal);
            Assert.Contains("Line 2", warning, StringComparison.Ordinal);
            Assert.DoesNotContain("CANARY", warning, StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.OK, await StatusAsync("late-key", running));

            other.Update("""{"Access":{"AllowAnonymous":true}}"""); // the reload of another file does not apply the loss of this one
            Assert.Contains(logs.GetSnapshot(), record => record.Message.Contains("still cannot be read", StringComparison.Ordinal));
            Assert.Equal(HttpStatusCode.OK, await StatusAsync("late-key", running));

            await File.WriteAllTextAsync(file, "{}", Cancelled);
            await Poll.UntilAsync(async () => await StatusAsync("late-key", running) is HttpStatusCode.Unauthorized);
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_changed_limit_keeps_the_level_of_the_bucket()
    {
        _settings.Update("""{"Limits":{"RequestsPerSecond":1,"Burst":1,"UpstreamCost":1}}""");
        HttpStatusCode[] before = [await StatusAsync(Gateway.Key), await StatusAsync(Gateway.Key)];
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.TooManyRequests], before);

        _settings.Update("""{"Limits":{"RequestsPerSecond":1,"Burst":2,"UpstreamCost":1}}""");

        await Poll.UntilAsync(async () => await StatusAsync(Gateway.Key) is HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.TooManyRequests, await StatusAsync(Gateway.Key));
    }

    private static string LateClient => """{"Access":{"Clients":[{"Name":"late","KeySha256":"DIGEST"}]}}""".Replace("DIGEST", Gateway.Digest("late-key"), StringComparison.Ordinal);

    private FakeLogCollector Logs => _running.Services.GetFakeLogCollector();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private async Task<HttpStatusCode> StatusAsync(string key, WebApplicationFactory<Program>? gateway = null)
    {
        using var client = (gateway ?? _running).CreateClient();
        client.DefaultRequestHeaders.Add("X-Api-Key", key);
        using var response = await client.SendGetAsync("/generations/g1");
        return response.StatusCode;
    }
}
