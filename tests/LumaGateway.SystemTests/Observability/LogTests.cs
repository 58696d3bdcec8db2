using System.Text.Json;

namespace LumaGateway.SystemTests.Observability;

/// <summary>The log with the JSON formatter, as in production.</summary>
public sealed class LogTests(SharedSandbox shared)
{
    [Fact]
    public async Task Every_line_is_JSON_and_lines_of_a_request_contain_its_trace_and_request_id()
    {
        const string Id = "00000000-0000-4000-8000-000000000004";
        var sandbox = await shared.GetAsync();
        var settings = ReplicaGroup.SettingsFor(sandbox, redis: null);
        settings["Logging:Console:FormatterName"] = "json";
        await using var gateway = await GatewayProcess.StartAsync(settings);
        await sandbox.AddFaultAsync(new SandboxFault("status") { Status = 401, Match = Id });
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/generations/{Id}");
        request.Headers.Add("X-Request-Id", "id-of-the-caller");
        request.Headers.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");

        using var response = await gateway.Client.SendAsync(request, TestContext.Current.CancellationToken);
        var line = await gateway.Process.ReadAsync(line => line.Contains("\"event_id\":3021", StringComparison.Ordinal) ? line : null);

        Assert.All(gateway.Process.Output, one => JsonDocument.Parse(one));
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal("0af7651916cd43dd8448eb211c80319c", problem.RootElement.GetProperty("trace_id").GetString());
        using var logged = JsonDocument.Parse(line);
        Assert.Equal("0af7651916cd43dd8448eb211c80319c", logged.RootElement.GetProperty("trace_id").GetString());
        Assert.Equal("id-of-the-caller", logged.RootElement.GetProperty("request_id").GetString());
        Assert.Equal("system-tests", logged.RootElement.GetProperty("client").GetString());
        Assert.All(logged.RootElement.EnumerateObject(), member => Assert.False(member.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Array));
    }

    [Fact]
    public async Task The_format_simple_also_writes_one_line_for_each_event()
    {
        var sandbox = await shared.GetAsync();
        var settings = ReplicaGroup.SettingsFor(sandbox, redis: null);
        settings["Logging:Console:FormatterName"] = "simple";
        settings["Logging:AccessLog"] = "All";
        await using var gateway = await GatewayProcess.StartAsync(settings);

        await gateway.ReadAsync("4665a07c-7641-4809-a133-10786201bb56");
        var line = await gateway.Process.ReadAsync(line => line.Contains("[1031]", StringComparison.Ordinal) ? line : null);

        Assert.Contains("GET /generations/{id}, id 4665a07c-7641-4809-a133-10786201bb56: status 200 in ", line, StringComparison.Ordinal);
        Assert.All(gateway.Process.Output, one => Assert.Matches("^[0-9TZ:. -]+(trce|dbug|info|warn|fail|crit): ", one));
    }
}
