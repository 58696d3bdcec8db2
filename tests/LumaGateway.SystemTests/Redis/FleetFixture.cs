
namespace LumaGateway.SystemTests.Redis;

/// <summary>Three replicas that share whichever Redis there is, for all tests of a class. Each test takes ids of its own.</summary>
public sealed class FleetFixture : IAsyncLifetime
{
    internal RedisServer Redis { get; private set; } = null!;

    internal Fleet Fleet { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Redis = await RedisServer.StartAsync();
        Fleet = await Fleet.StartAsync(3, Redis.Endpoint);
    }

    public async ValueTask DisposeAsync()
    {
        await Fleet.DisposeAsync();
        await Redis.DisposeAsync();
    }
}
