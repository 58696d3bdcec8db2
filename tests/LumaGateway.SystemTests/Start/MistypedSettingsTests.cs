namespace LumaGateway.SystemTests.Start;

/// <summary>Mistyped settings in the environment and on the command line.</summary>
public sealed class MistypedSettingsTests
{
    [Fact]
    public async Task All_mistakes_are_reported_together_with_suggestions()
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

        string[] expected =
        [
            "Luma:BaseAddress must begin with https", "Luma:Dialct is not a setting. Did you mean Luma:Dialect?", "Acess:Clients:0:Name is not a setting. Did you mean Access:Clients:<n>:Name?",
            "ConnectionStrings:Redis is neither", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT must be", "Management:Port must be a port of its own",
            "Waiting:Longst is not a setting. Did you mean Waiting:Longest?",
        ];
        Assert.All(expected, text => Assert.Contains($"  - {text}", gateway.Everything, StringComparison.Ordinal));
        Assert.DoesNotContain("   at ", gateway.Everything, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", gateway.Everything, StringComparison.Ordinal);
    }
}
