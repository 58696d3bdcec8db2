using LumaGateway.Hosting;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Hosting;

public sealed class HealthCommandTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task The_exit_code_is_0_for_a_running_gateway_and_1_for_an_address_without_one()
    {
        var (main, _) = ListeningGateway.Start(_gateway);
        using var errors = new StringWriter();

        Assert.Equal(0, await HealthCommand.RunAsync(main.AbsoluteUri, errors, Poll.Timeout));
        Assert.Equal("", errors.ToString());
        Assert.Equal(1, await HealthCommand.RunAsync("http://127.0.0.1:9", errors, Poll.Timeout));
        Assert.StartsWith("http://127.0.0.1:9 does not respond", errors.ToString(), StringComparison.Ordinal);
    }
}
