using LumaGateway.Redis;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Upstreams;

/// <summary>Two accounts on one host must not share what a Redis keeps: the account has a name of its own.</summary>
public sealed class AccountNameTests
{
    private const string Nowhere = "127.0.0.1:1,connectTimeout=100";

    [Theory]
    [InlineData("ConnectionStrings:Redis")]
    [InlineData("ConnectionStrings:Ledger")]
    public void A_shared_store_without_a_name_for_the_account_stops_the_start(string key)
    {
        using var gateway = new Gateway().With(key, Nowhere);

        Assert.ThrowsAny<Exception>(() => gateway.CreateCaller());

        Assert.Contains(gateway.StartFaults, fault => fault.StartsWith("Luma:Name is required", StringComparison.Ordinal));
    }

    [Fact]
    public void With_a_name_it_starts_and_the_name_is_part_of_every_key()
    {
        using var gateway = new Gateway().With("ConnectionStrings:Redis", Nowhere).With("Luma:Name", "acme-1");
        using var caller = gateway.CreateCaller();

        Assert.Contains(":acme-1:", gateway.Services.GetRequiredService<RedisKeyspace>().NameOf("g1", "final"), StringComparison.Ordinal);
    }
}
