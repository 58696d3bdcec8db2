using LumaGateway.Access;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Access;

[Collection(RunsAlone.Name)]
public sealed class ClientLimiterAllocationTests
{
    [Fact]
    public void A_request_and_a_fetch_are_charged_without_an_allocation()
    {
        var limiter = new ClientLimiter(TimeProvider.System, new ClientLimits(1_000_000, 1_000_000, 10, 5));
        Assert.Null(limiter.TryAcquire(out _));
        limiter.Release();

        Assert.Equal(0, Allocations.MinimumOf(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                limiter.TryAcquire(out _);
                limiter.ChargeFetch();
                limiter.Release();
            }
        }));
    }
}
