using LumaGateway.Hosting;

namespace LumaGateway.Tests.Hosting;

public sealed class HelpCommandTests : IDisposable
{
    private readonly StringWriter _output = new();
    private readonly StringWriter _errors = new();

    public void Dispose()
    {
        _output.Dispose();
        _errors.Dispose();
    }

    [Theory]
    [InlineData("--help", "LumaGateway --check")]
    [InlineData("-h", "Luma__BaseAddress")]
    [InlineData("help", "key new")]
    [InlineData("--version", "0.1.0")]
    [InlineData("version", "0.1.0")]
    public void It_says_what_is_asked_for(string argument, string said)
    {
        Assert.Equal(0, Run(argument));
        Assert.Contains(said, _output.ToString(), StringComparison.Ordinal);
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
    public void An_argument_that_is_nothing_is_told(string told, params string[] args)
    {
        Assert.Equal(1, Run(args));
        Assert.StartsWith($"LumaGateway does not know argument {told}.", _errors.ToString(), StringComparison.Ordinal);
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
    public void Settings_and_the_check_are_left_to_the_start(params string[] args)
    {
        Assert.Null(Run(args));
        Assert.Empty(_errors.ToString());
    }

    private int? Run(params string[] args) => HelpCommand.TryRun(args, _output, _errors);
}
