namespace LumaGateway.Tests.Support;

public sealed class PropertyCasesTests
{
    [Theory]
    [InlineData(null, 5_000)]
    [InlineData("", 5_000)]
    [InlineData("100", 50_000)]
    [InlineData("7", 3_500)]
    [InlineData("1", 500)]
    public void The_share_is_a_tenth_or_the_percentage_that_is_set(string? percent, int cases) => Assert.Equal(cases, PropertyCases.Share(50_000, 1, percent));

    [Fact]
    public void No_share_is_smaller_than_the_least() => Assert.Equal((1, 3), (PropertyCases.Share(5, 1, "1"), PropertyCases.Share(5, 3, "1")));

    [Theory]
    [InlineData("0")]
    [InlineData("101")]
    [InlineData("-5")]
    [InlineData("ten")]
    [InlineData("10%")]
    [InlineData(" 10")]
    [InlineData("99999999999")]
    public void A_value_that_is_no_percentage_fails_and_names_the_variable(string percent) => Assert.Contains(
        PropertyCases.Variable, Assert.Throws<InvalidOperationException>(() => PropertyCases.Share(50_000, 1, percent)).Message, StringComparison.Ordinal);
}
