using LumaGateway.Redis;
using Microsoft.Extensions.Configuration;

namespace LumaGateway.Tests.Redis;

public sealed class RedisOptionsTests
{
    [Theory]
    [InlineData("redis:6379", 5)]
    [InlineData("redis:6379,configCheckSeconds=60", 5)]
    [InlineData("redis:6379,configCheckSeconds=2", 2)]
    public void Role_discovery_runs_at_least_every_five_seconds(string connectionString, int seconds) =>
        Assert.Equal(seconds, new RedisOptions { Redis = connectionString }.Parse().ConfigCheckSeconds);

    [Fact]
    public void The_gateway_starts_without_Redis_and_calls_do_not_queue()
    {
        var configuration = new RedisOptions { Redis = "redis:6379,abortConnect=true,connectTimeout=60000" }.Parse();

        Assert.False(configuration.AbortOnConnectFail);
        Assert.False(configuration.BacklogPolicy.QueueWhileDisconnected);
        Assert.Equal(2000, configuration.ConnectTimeout);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData("redis:6379", true)]
    public void A_null_or_empty_connection_string_means_no_Redis(string? connectionString, bool isConfigured)
    {
        var settings = new ConfigurationBuilder().AddInMemoryCollection([new("ConnectionStrings:Redis", connectionString)]).Build();
        var options = new RedisOptions();
        settings.GetSection(RedisOptions.Section).Bind(options);

        Assert.Equal(isConfigured, options.IsConfigured);
        Assert.True(new RedisOptionsRules().Validate(null, options).Succeeded);
    }
}
