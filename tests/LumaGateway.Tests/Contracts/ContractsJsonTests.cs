using System.Text.Json;
using LumaGateway.Contracts;

namespace LumaGateway.Tests.Contracts;

public sealed class ContractsJsonTests
{
    [Fact]
    public void Every_key_is_written_even_if_its_value_is_null()
    {
        var json = JsonSerializer.Serialize(Empty, ContractsJson.Web.Generation);

        Assert.Equal(
            """{"id":"g1","state":"queued","created_at":null,"model":null,"prompt":null,"aspect_ratio":null,"video":null,"image":null,"thumbnail":null,"last_frame":null,"outputs":[],"failure":null,"expires_at":null}""",
            json);
    }

    [Theory]
    [InlineData("2024-12-22T13:38:40.1390000Z", "2024-12-22T13:38:40.139Z")]
    [InlineData("2024-12-22T13:38:40Z", "2024-12-22T13:38:40Z")]
    [InlineData("2024-12-22T14:38:40.1234567+01:00", "2024-12-22T13:38:40.1234567Z")]
    public void Times_are_UTC_without_trailing_zeros(string time, string written)
    {
        var json = JsonSerializer.Serialize(Empty with { CreatedAt = DateTimeOffset.Parse(time, null) }, ContractsJson.Web.Generation);

        Assert.Contains($"\"created_at\":\"{written}\"", json, StringComparison.Ordinal);
    }

    [Fact]
    public void Signed_links_are_not_escaped()
    {
        var json = JsonSerializer.Serialize(
            Empty with { Video = new VideoAsset("https://cdn.test/v.mp4?a=1&b='2'", 1, 2, 3.5) }, ContractsJson.Web.Generation);

        Assert.Contains("\"video\":{\"url\":\"https://cdn.test/v.mp4?a=1&b='2'\",\"width\":1,\"height\":2,\"duration\":3.5}", json, StringComparison.Ordinal);
    }

    private static Generation Empty { get; } = new("g1", GenerationState.Queued, null, null, null, null, null, null, null, null, [], null, null);
}
