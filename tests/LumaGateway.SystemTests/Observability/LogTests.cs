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
        var line = await gateway.Process.ReadAsync(line => line.Contains("\"EventId\":3021", StringComparison.Ordinal) ? line : null);

        Assert.All(gateway.Process.Output, one => JsonDocument.Parse(one));
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal("0af7651916cd43dd8448eb211c80319c", problem.RootElement.GetProperty("trace_id").GetString());
        var scopes = JsonDocument.Parse(line).RootElement.GetProperty("Scopes").EnumerateArray().ToList();
        Assert.Contains(scopes, scope => scope.TryGetProperty("TraceId", out var trace) && trace.GetString() == "0af7651916cd43dd8448eb211c80319c");
        Assert.Contains(scopes, scope => scope.TryGetProperty("RequestId", out var id) && id.GetString() == "id-of-the-caller");
    }
}
