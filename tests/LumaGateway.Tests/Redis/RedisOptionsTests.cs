using LumaGateway.Redis;
using Microsoft.Extensions.Configuration;

namespace LumaGateway.Tests.Redis;

public sealed class RedisOptionsTests
{
    [Theory]
    [InlineData("redis:6379", 5)]
    [InlineData("redis:6379,configCheckSeconds=60", 5)]
    [InlineData("redis:6379,configCheckSeconds=2", 2)]
    public void Who_is_master_is_asked_every_few_seconds(string connectionString, int seconds) =>
        Assert.Equal(seconds, new RedisOptions { Redis = connectionString }.Parse().ConfigCheckSeconds);

    [Fact]
    public void A_gateway_starts_without_redis_and_no_caller_queues_for_it()
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
    public void A_setting_that_is_null_or_empty_names_no_redis(string? connectionString, bool isConfigured)
    {
        var settings = new ConfigurationBuilder().AddInMemoryCollection([new("ConnectionStrings:Redis", connectionString)]).Build();
        var options = new RedisOptions();
        settings.GetSection(RedisOptions.Section).Bind(options);

        Assert.Equal(isConfigured, options.IsConfigured);
        Assert.True(new RedisOptionsRules().Validate(null, options).Succeeded);
    }
}
