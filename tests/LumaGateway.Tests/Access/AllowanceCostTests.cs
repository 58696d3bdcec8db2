using LumaGateway.Access;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Access;

[Collection(RunsAlone.Name)]
public sealed class AllowanceCostTests
{
    [Fact]
    public void Takes_and_owes_without_allocating()
    {
        var allowance = new ClientLimiter(TimeProvider.System, new ClientLimits(1_000_000, 1_000_000, 10, 5));
        Assert.Null(allowance.TryEnter(out _));
        allowance.Leave();

        Assert.Equal(0, Allocations.LeastOf(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                allowance.TryEnter(out _);
                allowance.ChargeFetch();
                allowance.Leave();
            }
        }));
    }
}
