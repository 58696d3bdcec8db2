namespace LumaGateway.SystemTests.Sdk;

/// <summary>
/// Luma's SDKs against the gateway: <c>lumaai</c> and <c>@ai-sdk/luma</c> from npm, unmodified, and the requests of <c>luma-agents</c>, which npm does not serve.
/// Needs node and npm. Slow: npm fetches the packages, once for each change of the lock file.
/// </summary>
public sealed class SdkTests
{
    [Theory]
    [InlineData("lumaai.mjs", "dream-machine", "dream-machine/v1", 23)]
    [InlineData("ai-sdk.mjs", "dream-machine", "dream-machine/v1", 5)]
    [InlineData("agents.mjs", "agents", "agents/v1", 9)]
    public async Task An_SDK_works_unmodified_against_the_gateway(string script, string dialect, string root, int checks)
    {
        var folder = Directory.CreateDirectory(Path.Combine(await NpmPackages.InstallAsync(), $"run-{Guid.NewGuid():N}")); // node resolves modules in parent folders
        try
        {
            foreach (var file in new[] { script, "suite.mjs" })
            {
                File.Copy(Path.Combine(NpmPackages.Source, file), Path.Combine(folder.FullName, file));
            }

            // The links of files contain a public host, because @ai-sdk/luma refuses others.
            await using var sandbox = await SandboxProcess.StartAsync(script is "ai-sdk.mjs" ? ["--Sandbox:PublicUrl=http://cdn.example.com"] : []);
            var settings = ReplicaGroup.SettingsFor(sandbox, redis: null);
            settings["Luma:BaseAddress"] = new Uri(sandbox.Address, root).AbsoluteUri;
            settings["Luma:Dialect"] = dialect;
            settings["Callbacks:SecretFile"] = Path.Combine(folder.FullName, "secret");
            settings["Callbacks:PublicUrl"] = "http://127.0.0.1:9"; // only sent to the upstream; this test receives no callbacks
            await File.WriteAllTextAsync(settings["Callbacks:SecretFile"], "secret-of-the-sdk-test", TestContext.Current.CancellationToken);
            await using var gateway = await GatewayProcess.StartAsync(settings);

            await using var check = ChildProcess.Start(
                Tool.Find("node")!,
                [script],
                new Dictionary<string, string>
                {
                    ["LUMAAI_BASE_URL"] = new Uri(gateway.Address, "luma").AbsoluteUri,
                    ["LUMAAI_API_KEY"] = GatewayProcess.ClientKey,
                    ["GATEWAY"] = gateway.Address.AbsoluteUri.TrimEnd('/'),
                    ["CLIENT_KEY"] = GatewayProcess.ClientKey,
                    ["SANDBOX_TOKEN"] = SandboxProcess.Token,
                    ["SANDBOX"] = sandbox.Address.AbsoluteUri.TrimEnd('/'),
                    ["NO_PROXY"] = "*",
                },
                folder.FullName);
            var exit = await check.WaitForExitAsync();

            TestContext.Current.TestOutputHelper?.WriteLine(check.Everything);
            Assert.True(exit == 0, $"{check.Everything}\n{gateway.Log}");
            Assert.Equal(checks, check.Output.Count(line => line.StartsWith("ok ", StringComparison.Ordinal)));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
