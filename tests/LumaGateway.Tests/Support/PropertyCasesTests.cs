namespace LumaGateway.Tests.Support;

public sealed class PropertyCasesTests
{
    [Theory]
    [InlineData(null, 5_000)]
    [InlineData("", 5_000)]
    [InlineData("100", 50_000)]
    [InlineData("7", 3_500)]
    [InlineData("1", 500)]
    [InlineData("700", 350_000)]
    public void The_default_is_ten_percent_of_the_cases(string? percent, int cases) => Assert.Equal(cases, PropertyCases.Share(50_000, 1, percent));

    [Fact]
    public void The_number_of_cases_is_at_least_the_minimum() => Assert.Equal((1, 3), (PropertyCases.Share(5, 1, "1"), PropertyCases.Share(5, 3, "1")));

    [Theory]
    [InlineData("0")]
    [InlineData("100001")]
    [InlineData("-5")]
    [InlineData("ten")]
    [InlineData("10%")]
    [InlineData(" 10")]
    [InlineData("99999999999")]
    public void An_invalid_percentage_fails_with_the_name_of_the_variable(string percent) => Assert.Contains(
        PropertyCases.Variable, Assert.Throws<InvalidOperationException>(() => PropertyCases.Share(50_000, 1, percent)).Message, StringComparison.Ordinal);
}
