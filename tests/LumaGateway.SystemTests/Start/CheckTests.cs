namespace LumaGateway.SystemTests.Start;

/// <summary><c>--check</c> with the sandbox and Redis. Two tests need redis-server.</summary>
public sealed class CheckTests(SharedSandbox shared)
{
    private const string Password = "CANARYredispassword";

    [Fact]
    public async Task A_check_of_working_connections_prints_one_line_each_and_exits_with_0()
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync("--requirepass", Password);
        await using var sandbox = await SandboxProcess.StartAsync();

        var (exit, lines) = await CheckAsync(ReplicaGroup.SettingsFor(sandbox, $"{redis.Endpoint},password={Password}"));

        Assert.Equal(0, exit);
        Assert.Collection(
            lines,
            line => Assert.StartsWith("ok    settings", line, StringComparison.Ordinal),
            line => Assert.StartsWith("ok    upstream", line, StringComparison.Ordinal),
            line => Assert.StartsWith("ok    redis", line, StringComparison.Ordinal),
            line => Assert.StartsWith("ok    ledger    Responds; its maxmemory-policy is noeviction.", line, StringComparison.Ordinal),
            line => Assert.StartsWith("-     issuer", line, StringComparison.Ordinal));
        Assert.Equal(1, (await sandbox.CountsAsync()).Total);
    }

    [Theory]
    [InlineData("Luma:ApiKey", "CANARYwrongtoken", "FAIL  upstream  Rejects the token")]
    [InlineData("Luma:BaseAddress", "http://127.0.0.1:9/luma", "FAIL  upstream  Cannot be reached")]
    [InlineData("Luma:Dialect", "piapi", "FAIL  upstream")]
    [InlineData("ConnectionStrings:Redis", "127.0.0.1:9,password=CANARYpassword", "FAIL  redis")]
    [InlineData("Access:Jwt:Authority", "http://127.0.0.1:9/CANARYissuer", "FAIL  issuer")]
    public async Task A_failing_connection_is_reported_without_a_secret_and_exits_with_1(string key, string value, string expected)
    {
        var sandbox = await shared.GetAsync();
        var settings = new Dictionary<string, string>(ReplicaGroup.SettingsFor(sandbox, null)) { [key] = value };
        if (key.StartsWith("Access:Jwt", StringComparison.Ordinal))
        {
            settings["Access:Jwt:Audience"] = "luma-gateway";
        }

        var (exit, lines) = await CheckAsync(settings);

        Assert.Equal(1, exit);
        Assert.Contains(lines, line => line.StartsWith(expected, StringComparison.Ordinal));
        Assert.Single(lines, line => line.StartsWith("FAIL", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_wrong_password_of_Redis_is_reported()
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync("--requirepass", Password);

        var (exit, lines) = await CheckAsync(ReplicaGroup.SettingsFor(await shared.GetAsync(), $"{redis.Endpoint},password=CANARYother"));

        Assert.Equal(1, exit);
        Assert.Contains(lines, line => line.StartsWith("FAIL  redis", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("ConnectionStrings:Redis", "FAIL  redis")]
    [InlineData("ConnectionStrings:Ledger", "FAIL  ledger")]
    public async Task A_database_that_Redis_does_not_have_is_reported(string key, string expected)
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync("--databases", "2");
        var settings = new Dictionary<string, string>(ReplicaGroup.SettingsFor(await shared.GetAsync(), redis.Endpoint)) { [key] = $"{redis.Endpoint},defaultDatabase=2" };

        var (exit, lines) = await CheckAsync(settings);

        Assert.Equal(1, exit);
        Assert.Contains(lines, line => line.StartsWith(expected, StringComparison.Ordinal));
    }

    /// <summary>Runs the check with log level Trace. The output must contain only the result lines, and no secret.</summary>
    private static async Task<(int Exit, IReadOnlyCollection<string> Lines)> CheckAsync(Dictionary<string, string> settings)
    {
        settings["Logging:LogLevel:Default"] = "Trace";
        await using var gateway = GatewayProcess.Launch(settings, "--check", "--Luma:Retries=0");
        var exit = await gateway.WaitForExitAsync();
        Assert.Empty(gateway.Errors);
        Assert.All([.. settings.Where(setting => setting.Key.Contains("ApiKey", StringComparison.Ordinal)).Select(setting => setting.Value), "CANARY"], secret => Assert.DoesNotContain(secret, gateway.Everything, StringComparison.Ordinal));
        Assert.All(gateway.Output, line => Assert.Matches("^(ok  |FAIL|[?]   |-   )  (settings|upstream|redis   |ledger  |issuer  )  [A-Z]", line));
        return (exit, gateway.Output);
    }
}
