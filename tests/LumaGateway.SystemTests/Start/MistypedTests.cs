namespace LumaGateway.SystemTests.Start;

/// <summary>Settings with mistakes in them, as an operator makes them: in the environment and on the command line at once.</summary>
public sealed class MistypedTests
{
    [Fact]
    public async Task Every_mistake_is_told_in_one_go_with_what_was_meant()
    {
        await using var gateway = GatewayProcess.Launch(
            new Dictionary<string, string>
            {
                ["Luma:BaseAddress"] = "http://api.lumalabs.ai/dream-machine/v1",
                ["Luma:Dialct"] = "dream-machine",
                ["Luma:ApiKey"] = "token-of-the-mistyped-tests",
                ["Acess:Clients:0:Name"] = "reader",
                ["Access:AllowAnonymous"] = "true",
                ["ConnectionStrings:Redis"] = "tcp://redis",
                ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = "foo",
                ["Management:Port"] = "9090",
                ["ASPNETCORE_URLS"] = "http://127.0.0.1:9090",
            },
            "--Waiting:Longst=00:00:10");

        Assert.Equal(1, await gateway.WaitForExitAsync(TimeSpan.FromSeconds(60)));

        string[] told =
        [
            "Luma:BaseAddress must begin with https", "Luma:Dialct is not a setting. Did you mean Luma:Dialect?", "Acess:Clients:0:Name is not a setting. Did you mean Access:Clients:<n>:Name?",
            "ConnectionStrings:Redis is neither", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT must be", "Management:Port must be a port of its own",
            "Waiting:Longst is not a setting. Did you mean Waiting:Longest?",
        ];
        Assert.All(told, text => Assert.Contains($"  - {text}", gateway.Everything, StringComparison.Ordinal));
        Assert.DoesNotContain("   at ", gateway.Everything, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", gateway.Everything, StringComparison.Ordinal);
    }
}
