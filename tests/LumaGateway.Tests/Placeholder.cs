namespace LumaGateway.Tests;

public sealed class Placeholder
{
    [Fact]
    public void T() => Assert.Equal(1, 1);
}
