using LumaGateway.Hosting;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Hosting;

public sealed class HealthCommandTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task It_tells_a_gateway_that_lives_from_an_address_where_none_is()
    {
        var (main, _) = Listening.Start(_gateway);
        using var errors = new StringWriter();

        Assert.Equal(0, await HealthCommand.TryRunAsync(["health", main.AbsoluteUri], errors, Pump.Patience));
        Assert.Equal("", errors.ToString());
        Assert.Equal(1, await HealthCommand.TryRunAsync(["health", "http://127.0.0.1:9"], errors, Pump.Patience));
        Assert.StartsWith("http://127.0.0.1:9 does not answer", errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Other_words_are_not_its_own() => Assert.Null(await HealthCommand.TryRunAsync(["--check"], TextWriter.Null));
}
