using LumaGateway.Redis;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Upstreams;

/// <summary>The account name in the keys of Redis. Two accounts on one host must not share entries.</summary>
public sealed class AccountNameTests
{
    private const string Unreachable = "127.0.0.1:1,connectTimeout=100";

    [Theory]
    [InlineData("ConnectionStrings:Redis")]
    [InlineData("ConnectionStrings:Ledger")]
    public void Redis_without_an_account_name_stops_the_start(string key)
    {
        using var gateway = new Gateway().With(key, Unreachable);

        Assert.ThrowsAny<Exception>(() => gateway.CreateCaller());

        Assert.Contains(gateway.StartFaults, fault => fault.StartsWith("Luma:Name is required", StringComparison.Ordinal));
    }

    [Fact]
    public void With_an_account_name_the_gateway_starts_and_the_name_is_part_of_every_key()
    {
        using var gateway = new Gateway().With("ConnectionStrings:Redis", Unreachable).With("Luma:Name", "acme-1");
        using var caller = gateway.CreateCaller();

        Assert.Contains(":acme-1:", gateway.Services.GetRequiredService<RedisKeyspace>().NameOf("g1", "final"), StringComparison.Ordinal);
    }
}
