using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Configuration;

/// <summary>Messages for unreadable values: they contain an example and no type name.</summary>
public sealed class ValueMessageTests
{
    [Theory]
    [InlineData("Luma:Deadline", "15", "a time such as 00:00:15")]
    [InlineData("Luma:Deadline", "soon", "a time such as 00:00:15")]
    [InlineData("Freshness:Stale", "7", "a number alone would be days")]
    [InlineData("Server:ShutdownDelay", "5s", "a time such as 00:00:15")]
    [InlineData("Passthrough:IdempotencyLifetime", "24:00:00", "1.00:00:00 is a day")]
    [InlineData("Jobs:Retention", "30:00:00", "1.00:00:00 is a day")]
    [InlineData("Luma:Retries", "two", "a whole number such as 20")]
    [InlineData("Luma:Retries", "1.5", "a whole number such as 20")]
    [InlineData("Cache:MemoryBytes", "128MB", "a whole number such as 20")]
    [InlineData("Management:Port", "http", "a whole number such as 20")]
    [InlineData("Luma:BreakerFailureRatio", "half", "a number such as 0.5")]
    [InlineData("Access:AllowAnonymous", "yes", "true or false")]
    [InlineData("Swagger:Enabled", "0", "true or false")]
    [InlineData("Access:Clients:0:Limits:Burst", "many", "a whole number such as 20")]
    [InlineData("Assets:Mode", "Stroll", "Stream or Redirect")]
    public void The_message_for_an_unreadable_value_contains_an_example(string key, string value, string example)
    {
        using var gateway = new Gateway().With(key, value);

        Assert.ThrowsAny<Exception>(gateway.CreateCaller);

        var fault = Assert.Single(gateway.StartFaults);
        Assert.StartsWith($"{key} must be ", fault, StringComparison.Ordinal);
        Assert.Contains(example, fault, StringComparison.Ordinal);
        Assert.DoesNotContain(value is "15" or "0" or "1.5" or "7" or "http" ? "TimeSpan" : value, fault, StringComparison.Ordinal);
        Assert.DoesNotMatch("TimeSpan|Int32|Int64|Boolean|Double", fault);
    }

    [Theory]
    [InlineData("00:05")]
    [InlineData("00:05:00")]
    [InlineData("23:59:59.5")]
    [InlineData("1.00:00:00")]
    [InlineData("1.23:59:59.9999999")]
    [InlineData("1:02:03:04")]
    public void A_time_with_hours_up_to_23_is_read(string value)
    {
        using var gateway = new Gateway().With("Freshness:Completed", value);
        using var caller = gateway.CreateCaller();

        Assert.Empty(gateway.StartFaults);
    }

    [Theory]
    [InlineData("-00:05:00")]
    [InlineData("-24:00:00")]
    [InlineData("-1.00:00:00")]
    public void A_negative_time_is_out_of_range(string value)
    {
        using var gateway = new Gateway().With("Freshness:Completed", value);

        Assert.ThrowsAny<Exception>(gateway.CreateCaller);

        Assert.Contains("Freshness:Completed must be between", Assert.Single(gateway.StartFaults), StringComparison.Ordinal);
    }

    [Fact]
    public void All_unreadable_values_are_reported_together()
    {
        using var gateway = new Gateway().With("Luma:Deadline", "15").With("Luma:Retries", "two").With("Swagger:Enabled", "perhaps").With("Luma:Dialct", "relay");

        Assert.ThrowsAny<Exception>(gateway.CreateCaller);

        Assert.Equal(4, gateway.StartFaults.Count);
    }
}
