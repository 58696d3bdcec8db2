using LumaGateway.Redis;
using LumaGateway.Tests.Support;
using LumaGateway.Upstreams;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Upstreams;

/// <summary>The settings of several accounts: all faults are named at once, with their keys. Needs nothing.</summary>
public sealed class AccountSettingsTests
{
    [Fact]
    public void All_faults_of_the_list_are_named_with_their_keys()
    {
        using var gateway = new Gateway().WithAccounts(TestAccounts.Named("a"), TestAccounts.Named("A"), TestAccounts.Named("c"))
            .With("Luma:Accounts:0:BaseAddress", "ftp://a.test").With("Luma:Accounts:0:Weight", "0").With("Luma:Accounts:0:MaxConcurrentJobs", "-1")
            .With("Luma:Accounts:1:ApiKey", null).With("Luma:Accounts:1:Dialect", "ray").With("Luma:Accounts:1:MaxCreatesPerMinute", "100001")
            .With("Luma:Accounts:2:Name", "no spaces").With("Luma:Accounts:2:ApiKeyFile", "/missing");

        Assert.ThrowsAny<Exception>(() => gateway.CreateCaller());

        Assert.Equal(
            [
                "Luma:Accounts:0:BaseAddress", "Luma:Accounts:0:MaxConcurrentJobs", "Luma:Accounts:0:Weight", "Luma:Accounts:1:ApiKey", "Luma:Accounts:1:Dialect",
                "Luma:Accounts:1:MaxCreatesPerMinute", "Luma:Accounts:1:Name", "Luma:Accounts:2:ApiKey", "Luma:Accounts:2:Name",
            ],
            gateway.StartFaults.Select(fault => fault.Split(' ')[0]).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("Luma:BaseAddress", "http://upstream.test")]
    [InlineData("Luma:Dialect", "relay")]
    [InlineData("Luma:Name", "acme")]
    [InlineData("Luma:ApiKey", "token")]
    [InlineData("Luma:ApiKeyFile", "/run/secrets/token")]
    public void A_single_key_beside_the_list_stops_the_start(string key, string value)
    {
        using var gateway = new Gateway().WithAccounts(TestAccounts.Named("a")).With(key, value);

        Assert.ThrowsAny<Exception>(() => gateway.CreateCaller());

        Assert.Contains(gateway.StartFaults, fault => fault.StartsWith($"{key} must not be set with Luma:Accounts", StringComparison.Ordinal));
    }

    [Fact]
    public void A_client_with_an_unknown_account_stops_the_start()
    {
        using var gateway = new Gateway().WithAccounts(TestAccounts.Named("a"), TestAccounts.Named("b")).With("Access:Clients:0:Account", "c");

        Assert.ThrowsAny<Exception>(() => gateway.CreateCaller());

        Assert.Contains(gateway.StartFaults, fault => fault.StartsWith("Access:Clients:0:Account 'c'", StringComparison.Ordinal));
    }

    [Fact]
    public void One_more_account_does_not_change_the_keys_of_Redis()
    {
        using var single = new Gateway().With("Luma:Name", "acme").With("Luma:Dialect", "agents");
        using var several = new Gateway().WithAccounts(TestAccounts.Named("acme", "agents"), TestAccounts.Named("b"));

        Assert.Equal(single.Services.GetRequiredService<RedisKeyspace>(), several.Services.GetRequiredService<RedisKeyspace>());
    }

    [Fact]
    public void A_list_of_one_account_is_the_same_as_the_single_keys()
    {
        using var single = new Gateway().With("Luma:Name", "acme");
        using var list = new Gateway().WithAccounts(TestAccounts.Named("acme"));

        var (one, other) = (single.Services.GetRequiredService<UpstreamAccounts>(), list.Services.GetRequiredService<UpstreamAccounts>());

        Assert.Equal(("acme", "relay"), (one.Only!.Name, one.Only.Dialect.Name));
        Assert.Equal(("acme", "relay"), (other.Only!.Name, other.Only.Dialect.Name));
    }
}
