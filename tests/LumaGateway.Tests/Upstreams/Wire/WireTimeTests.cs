using System.Globalization;
using System.Text.Json;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Tests.Upstreams.Wire;

public sealed class WireTimeTests
{
    [Theory]
    [InlineData("\"2024-12-22T13:38:40Z\"", "2024-12-22T13:38:40.0000000")]
    [InlineData("\"2024-12-22T13:38:40.1Z\"", "2024-12-22T13:38:40.1000000")]
    [InlineData("\"2024-12-22T13:38:40.139Z\"", "2024-12-22T13:38:40.1390000")]
    [InlineData("\"2024-12-22T13:38:40.318498Z\"", "2024-12-22T13:38:40.3184980")]
    [InlineData("\"2024-12-22T13:38:40.123456789Z\"", "2024-12-22T13:38:40.1234567")]
    [InlineData("\"2024-12-22t13:38:40z\"", "2024-12-22T13:38:40.0000000")]
    [InlineData("\" 2024-12-22 13:38:40.139 \"", "2024-12-22T13:38:40.1390000")]
    [InlineData("\"2024-12-22T15:38:40+02:00\"", "2024-12-22T13:38:40.0000000")]
    [InlineData("\"2024-12-22T08:08:40.5-0530\"", "2024-12-22T13:38:40.5000000")]
    [InlineData("\"2024-12-22T13:38Z\"", "2024-12-22T13:38:00.0000000")]
    [InlineData("\"2024-12-22\"", "2024-12-22T00:00:00.0000000")]
    [InlineData("1734874720", "2024-12-22T13:38:40.0000000")]
    [InlineData("1734874720139", "2024-12-22T13:38:40.1390000")]
    [InlineData("1734874720.5", "2024-12-22T13:38:40.5000000")]
    [InlineData("1.73487472e9", "2024-12-22T13:38:40.0000000")]
    [InlineData("\"1734874720\"", "2024-12-22T13:38:40.0000000")]
    [InlineData("\"1734874720139\"", "2024-12-22T13:38:40.1390000")]
    [InlineData("99999999999", "5138-11-16T09:46:39.0000000")]
    [InlineData("100000000000", "1973-03-03T09:46:40.0000000")]
    [InlineData("253402300799999", "9999-12-31T23:59:59.9990000")]
    public void A_time_is_read_in_every_spelling(string json, string expected)
    {
        var time = Read(json);

        Assert.Equal(expected, time?.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff", CultureInfo.InvariantCulture));
        Assert.Equal(TimeSpan.Zero, time?.Offset);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("\"\"")]
    [InlineData("\"  \"")]
    [InlineData("\"0001-01-01T00:00:00Z\"")]
    [InlineData("\"0001-06-01T00:00:00.5+02:00\"")]
    [InlineData("\"0001-01-01T00:00:00+02:00\"")]
    [InlineData("\"0000-01-01T00:00:00Z\"")]
    [InlineData("\"9999-12-31T23:59:59-01:00\"")]
    [InlineData("\"2024-02-30T00:00:00Z\"")]
    [InlineData("\"2024-12-22T25:00:00Z\"")]
    [InlineData("\"2024-12-22T13:38:40Zulu\"")]
    [InlineData("\"2024-12-22T13:38:40.Z\"")]
    [InlineData("\"12/22/2024\"")]
    [InlineData("\"yesterday\"")]
    [InlineData("\"\\ud800\"")]
    [InlineData("\"\u0662\u0660\u0662\u0664-12-22T13:38:40Z\"")]
    [InlineData("0")]
    [InlineData("\"0\"")]
    [InlineData("-1")]
    [InlineData("1e999")]
    [InlineData("1e18")]
    [InlineData("253402300800000")]
    [InlineData("\"NaN\"")]
    [InlineData("true")]
    [InlineData("{}")]
    [InlineData("[1734874720]")]
    public void A_value_other_than_a_time_is_null(string json) => Assert.Null(Read(json));

    private static DateTimeOffset? Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.AsTime();
    }
}
