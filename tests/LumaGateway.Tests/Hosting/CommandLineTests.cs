using LumaGateway.Hosting;

namespace LumaGateway.Tests.Hosting;

public sealed class CommandLineTests : IDisposable
{
    private readonly StringWriter _output = new();
    private readonly StringWriter _errors = new();

    public void Dispose()
    {
        _output.Dispose();
        _errors.Dispose();
    }

    [Theory]
    [InlineData("LumaGateway --check", "--help")]
    [InlineData("Luma__BaseAddress", "-h")]
    [InlineData("key new", "help")]
    [InlineData("0.1.0", "--version")]
    [InlineData("0.1.0", "version")]
    [InlineData("lgk_", "key", "new")]
    public async Task A_command_prints_its_output_and_exits_with_0(string expected, params string[] args)
    {
        Assert.Equal(0, await RunAsync(args));
        Assert.Contains(expected, _output.ToString(), StringComparison.Ordinal);
        Assert.Empty(_errors.ToString());
    }

    [Theory]
    [InlineData("'--chekc'", "--chekc")]
    [InlineData("number 1", "serve")]
    [InlineData("'-x'", "-x")]
    [InlineData("'-x=1'", "-x=1")]
    [InlineData("'--help'", "--Luma:Dialect=relay", "--help")]
    [InlineData("'--Luma:Dialect'", "--Luma:Dialect")]
    [InlineData("'--Luma:Dialect'", "--Luma:Dialect", "--check")]
    [InlineData("number 2", "--check", "CANARY-secret")]
    [InlineData("number 1", "key", "old")]
    [InlineData("number 1", "health", "http://127.0.0.1:9", "more")]
    public async Task An_unknown_argument_is_reported_without_secrets(string expected, params string[] args)
    {
        Assert.Equal(1, await RunAsync(args));
        Assert.StartsWith($"Unknown argument: {expected}.", _errors.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("CANARY", _errors.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData]
    [InlineData("--check")]
    [InlineData("--check", "--Luma:Retries=0")]
    [InlineData("--Luma:Retries", "0", "--check")]
    [InlineData("/Luma:Retries", "0")]
    [InlineData("Luma:Retries=0")]
    [InlineData("--environment=Development", "--urls=http://*:80")]
    [InlineData("--Luma:RetryDelay", "-1")]
    public async Task With_settings_the_gateway_starts(params string[] args)
    {
        Assert.Null(await RunAsync(args));
        Assert.Empty(_errors.ToString());
    }

    [Fact]
    public void Check_is_replaced_by_a_setting_that_turns_the_log_off()
    {
        var commandLine = new CommandLine(["--Luma:Retries=0", "--check"]);

        Assert.True(commandLine.IsCheck);
        Assert.Equal(["--Luma:Retries=0", "--Logging:Console:LogLevel:Default=None"], commandLine.Settings);
        Assert.False(new CommandLine(["--Luma:Retries=0"]).IsCheck);
    }

    private Task<int?> RunAsync(params string[] args) => new CommandLine(args).TryRunAsync(_output, _errors);
}
