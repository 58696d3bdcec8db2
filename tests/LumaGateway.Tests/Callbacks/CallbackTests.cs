using System.Net;
using System.Text;
using LumaGateway.Polling;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Callbacks;

[Collection(RunsAlone.Name)]
public sealed class CallbackTests : IDisposable
{
    private const string Secret = "s3cret-of-the-callback";
    private const string NextSecret = "another-secret-for-later";

    private readonly string _file = Path.GetTempFileName();
    private readonly Gateway _gateway = new Gateway().With("Waiting:PollEvery", "00:00:30").With("Waiting:PollSlowest", "00:00:30");

    public CallbackTests()
    {
        File.WriteAllText(_file, Secret + "\n");
        _gateway.With("Callbacks:SecretFile", _file);
    }

    public void Dispose()
    {
        _gateway.Dispose();
        File.Delete(_file);
    }

    [Fact]
    public async Task A_callback_causes_a_poll_at_once()
    {
        _gateway.Upstream.ThenJson(Samples.Interim("g1")).AlwaysJson(Samples.CompletedAs("g1"));
        using var caller = _gateway.CreateCaller();
        using var upstream = _gateway.CreateCallerWithoutKey();
        var waiting = await WaitAsync(caller);
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(1));

        using var callback = await SendAsync(upstream, Secret, """{"id":"g1","state":"failed"}""");
        var hinted = _gateway.Clock.GetUtcNow();
        await _gateway.Clock.UntilAsync(() => _gateway.Upstream.RequestCount == 2);
        Assert.InRange(_gateway.Clock.GetUtcNow() - hinted, TimeSpan.Zero, TimeSpan.FromMilliseconds(50)); // within the next tick of the polling loop
        using var response = await _gateway.Clock.UntilAsync(waiting);

        Assert.Equal(HttpStatusCode.NoContent, callback.StatusCode);
        Assert.Equal("completed", (await response.JsonAsync()).GetProperty("state").GetString()); // the state in the callback is not used
        Assert.Equal(2, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task Many_callbacks_cause_no_more_polls_than_the_floor_allows()
    {
        _gateway.Upstream.AlwaysJson(Samples.Interim("g1"));
        using var caller = _gateway.CreateCaller();
        using var upstream = _gateway.CreateCallerWithoutKey();
        var waiting = await WaitAsync(caller, 5);

        for (var i = 0; i < 100; i++)
        {
            using var callback = await SendAsync(upstream, Secret, """{"id":"g1"}""");
            Assert.Equal(HttpStatusCode.NoContent, callback.StatusCode);
            await _gateway.Clock.RunAsync(TimeSpan.FromMilliseconds(40));
        }

        using var response = await _gateway.Clock.UntilAsync(waiting);
        Assert.InRange(_gateway.Upstream.RequestCount, 2, 7);
    }

    [Fact]
    public async Task Callbacks_are_counted_by_outcome()
    {
        _gateway.Upstream.AlwaysJson(Samples.Interim("g1"));
        using var caller = _gateway.CreateCaller();
        using var hints = _gateway.Collect<long>("luma_gateway.waiting.hints");
        var waiting = await WaitAsync(caller, 5);
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(1));

        foreach (var body in new[] { """{"id":"g1"}""", """{"id":"g1"}""", """{"id":"no-waiters"}""", "not json" })
        {
            using var callback = await SendAsync(caller, Secret, body);
        }

        using var wrong = await SendAsync(caller, NextSecret, """{"id":"g1"}""");
        using var response = await _gateway.Clock.UntilAsync(waiting);

        var outcomes = hints.GetMeasurementSnapshot().CountBy(measurement => $"{measurement.Tags["luma_gateway.waiting.outcome"]}").ToDictionary();
        Assert.Equal((1, 3), (outcomes["polled"], outcomes["ignored"])); // the second arrived within the floor; a callback with a wrong secret is not counted
    }

    [Theory]
    [InlineData("""{"id":"no-waiters"}""")]
    [InlineData("""{"id":"a/b"}""")]
    [InlineData("""{"id":1}""")]
    [InlineData("""[]""")]
    [InlineData("""not json""")]
    [InlineData("")]
    public async Task A_callback_without_a_known_id_gets_204_and_causes_no_poll(string body)
    {
        using var upstream = _gateway.CreateCallerWithoutKey();

        using var response = await SendAsync(upstream, Secret, body);

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal(0, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task An_oversized_callback_gets_413()
    {
        using var upstream = _gateway.CreateCallerWithoutKey();

        using var response = await SendAsync(upstream, Secret, new string(' ', 70_000));

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    [Fact]
    public async Task During_a_rotation_both_secrets_are_valid_and_then_only_the_new_one()
    {
        using var upstream = _gateway.CreateCallerWithoutKey();
        Assert.Equal((204, 404), await StatusesAsync(upstream));

        await File.WriteAllTextAsync(_file, $"{NextSecret}\n{Secret}\n", TestContext.Current.CancellationToken);
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(8)); // two reads of the file
        Assert.Equal((204, 204), await StatusesAsync(upstream));

        await File.WriteAllTextAsync(_file, NextSecret, TestContext.Current.CancellationToken);
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(8)); // two reads of the file
        Assert.Equal((404, 204), await StatusesAsync(upstream));

        await File.WriteAllTextAsync(_file, "", TestContext.Current.CancellationToken);
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(8)); // two reads of the file
        Assert.Equal((404, 204), await StatusesAsync(upstream));
        Assert.Equal([4401, 4401, 4402], _gateway.Logs.GetSnapshot().Select(record => record.Id.Id).Where(id => id is 4401 or 4402));
    }

    [Fact]
    public async Task A_wrong_secret_gets_404_and_logs_and_problems_contain_no_secret()
    {
        using var upstream = _gateway.With("Logging:LogLevel:Microsoft.AspNetCore", "Trace").CreateCallerWithoutKey();

        using var correct = await SendAsync(upstream, Secret, "{}");
        using var wrong = await SendAsync(upstream, Secret + "-not", "{}");
        using var method = await upstream.SendGetAsync($"/callbacks/luma/{Secret}");

        Assert.Equal(HttpStatusCode.NotFound, wrong.StatusCode);
        var problem = await wrong.JsonAsync();
        Assert.Equal(("not_found", "/callbacks/luma/***"), (problem.GetProperty("code").GetString(), problem.GetProperty("instance").GetString()));
        Assert.Equal("/callbacks/luma/***", (await method.JsonAsync()).GetProperty("instance").GetString());
        var logs = _gateway.Logs.GetSnapshot();
        Assert.Contains(logs, log => log.Message.Contains("/callbacks/luma/***", StringComparison.Ordinal)); // also from the framework's own log messages
        Assert.DoesNotContain(logs, log => (log.Message + string.Join(' ', log.StructuredState ?? []) + string.Join(' ', log.Scopes)).Contains(Secret, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_configured_secret_a_callback_gets_404()
    {
        using var upstream = _gateway.With("Callbacks:SecretFile", null).CreateCallerWithoutKey();

        using var response = await SendAsync(upstream, Secret, "{}");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    private static async Task<(int, int)> StatusesAsync(HttpClient upstream)
    {
        using var first = await SendAsync(upstream, Secret, "{}");
        using var second = await SendAsync(upstream, NextSecret, "{}");
        return ((int)first.StatusCode, (int)second.StatusCode);
    }

    private async Task<Task<HttpResponseMessage>> WaitAsync(HttpClient caller, int seconds = 20)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/generations/g1") { Headers = { { "Prefer", $"wait={seconds}" } } };
        var waiting = caller.SendAsync(request, TestContext.Current.CancellationToken);
        await _gateway.Clock.WaitUntilIdleAsync();
        Assert.NotNull(Assert.Single(_gateway.Services.GetRequiredService<PollTargets>().All).Snapshot);
        return waiting;
    }

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, string secret, string body) => client.PostAsync(
        $"/callbacks/luma/{secret}", new StringContent(body, Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
}
