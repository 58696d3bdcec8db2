using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;

namespace LumaGateway.Tests.Upstreams.Dialects;

public sealed class DetailTests
{
    [Theory]
    [InlineData("relay", """{"id":"g1","request":{"prompt":"p","aspect_ratio":"16:9","model":"m"}}""")]
    [InlineData("relay", """{"id":"g1","prompt":"p","aspect_ratio":"16:9","model":"m"}""")]
    [InlineData("relay", """{"id":"g1","prompt":"old","request":{"prompt":"p","aspect_ratio":"16:9"},"model":"m"}""")]
    [InlineData("dream-machine", """{"id":"g1","model":"m","request":{"prompt":"p","aspect_ratio":"16:9"}}""")]
    [InlineData("dream-machine", """{"id":"g1","version":"m","prompt":"p","aspect_ratio":"16:9"}""")]
    [InlineData("dream-machine", """{"id":"g1","request":{"prompt":"p","aspect_ratio":"16:9","model":"m"}}""")]
    [InlineData("agents", """{"id":"g1","model":"m","prompt":"p","aspect_ratio":"16:9"}""")]
    [InlineData("agents", """{"id":"g1","model":"m","request":{"prompt":"p","aspect_ratio":"16:9"}}""")]
    [InlineData("agents", """{"id":"g1","request":{"model":"m","prompt":"p","aspect_ratio":"16:9"}}""")]
    [InlineData("new-api", """{"data":{"task_id":"g1","data":{"model":"m","request":{"prompt":"p","aspect_ratio":"16:9"}}}}""")]
    [InlineData("new-api", """{"data":{"task_id":"g1","model":"m","data":{"prompt":"p","aspect_ratio":"16:9"}}}""")]
    [InlineData("new-api", """{"data":{"task_id":"g1","data":{"request":{"model":"m","prompt":"p","aspect_ratio":"16:9"}}}}""")]
    [InlineData("piapi", """{"data":{"task_id":"g1","model":"luma","input":{"prompt":"p","aspect_ratio":"16:9","model_name":"m"}}}""")]
    [InlineData("piapi", """{"data":{"task_id":"g1","model":"m","output":{"prompt":"p","aspect_ratio":"16:9"}}}""")]
    public void Prompt_aspect_ratio_and_model_are_read_at_every_place_of_the_variant(string dialect, string body)
    {
        var generation = Dialect.Read(dialect, body);

        Assert.Equal(("p", "16:9", "m"), (generation.Prompt, generation.AspectRatio, generation.Model));
    }

    [Theory]
    [InlineData("relay", """{"id":"g1","model":"m","prompt":"x","aspect_ratio":"x","request":{"model":"x","prompt":"p","aspect_ratio":"16:9"}}""")]
    [InlineData("dream-machine", """
        {"id":"g1","model":"m","version":"x","prompt":"x","aspect_ratio":"x","request":{"model":"x","prompt":"p","aspect_ratio":"16:9"}}
        """)]
    [InlineData("dream-machine", """{"id":"g1","version":"m","request":{"model":"x","prompt":"p","aspect_ratio":"16:9"}}""")]
    [InlineData("agents", """{"id":"g1","model":"m","prompt":"p","aspect_ratio":"16:9","request":{"model":"x","prompt":"x","aspect_ratio":"x"}}""")]
    [InlineData("new-api", """
        {"data":{"task_id":"g1","model":"m","data":{"model":"x","prompt":"x","aspect_ratio":"x","request":{"model":"x","prompt":"p","aspect_ratio":"16:9"}}}}
        """)]
    [InlineData("new-api", """{"data":{"task_id":"g1","data":{"model":"m","prompt":"p","aspect_ratio":"16:9","request":{"model":"x"}}}}""")]
    [InlineData("piapi", """
        {"data":{"task_id":"g1","model":"x","input":{"model_name":"m","prompt":"p","aspect_ratio":"16:9"},"output":{"prompt":"x","aspect_ratio":"x"}}}
        """)]
    public void A_repeated_detail_is_read_at_the_place_that_the_variant_prefers(string dialect, string body)
    {
        var generation = Dialect.Read(dialect, body);

        Assert.Equal(("p", "16:9", "m"), (generation.Prompt, generation.AspectRatio, generation.Model));
    }

    [Theory]
    [InlineData("\"\"")]
    [InlineData("\"  \"")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[\"p\"]")]
    [InlineData("\"half a pair \\ud800\"")]
    public void A_prompt_other_than_text_is_null(string prompt) =>
        Assert.Null(Dialect.Read("relay", $$$"""{"id":"g1","request":{"prompt":{{{prompt}}}}}""").Prompt);

    [Fact]
    public void A_text_that_is_not_UTF8_is_null()
    {
        byte[] body = [.. """{"id":"g1","model":"m","prompt":"p"""u8, 0xff, 0xc3, .. "\"}"u8];
        using var document = JsonDocument.Parse(body);

        var generation = Dialect.Named("relay")
            .Read(GenerationId.Parse("g1", provider: null), HttpStatusCode.OK, document.RootElement).Generation;

        Assert.Equal(("m", null), (generation.Model, generation.Prompt));
    }

    [Fact]
    public void A_member_beside_an_undecodable_name_is_read() =>
        Assert.Equal("p", Dialect.Read("relay", """{"\ud800":1,"id":"g1","prompt":"p","\udc00d":2,"i\ud800":3,"promp\ud800":4}""").Prompt);

    [Fact]
    public void The_last_of_repeated_members_is_read() =>
        Assert.Equal("p", Dialect.Read("relay", """{"id":"x","prompt":"old","id":"g1","prompt":"p"}""").Prompt);

    [Fact]
    public void A_body_in_an_array_of_one_element_is_read()
    {
        foreach (var dialect in Dialect.All)
        {
            var body = Dialect.BodyWith(dialect.Name, "\"completed\"");

            Assert.Equal(GenerationState.Completed, Dialect.Read(dialect.Name, $"[{body}]").State);
        }
    }

    [Theory]
    [InlineData("new-api", """{"data":[{"task_id":"g1","status":"SUCCESS"}]}""")]
    [InlineData("piapi", """{"data":[{"task_id":"g1","status":"completed"}]}""")]
    public void A_wrapped_task_in_an_array_of_one_element_is_read(string dialect, string body) =>
        Assert.Equal(GenerationState.Completed, Dialect.Read(dialect, body).State);

    [Fact]
    public void A_numeric_id_is_read_as_its_digits() =>
        Assert.Equal("42", Dialect.Read("relay", """{"id":42}""", id: "42").Id);

    [Theory]
    [InlineData("new-api", """{"data":{"id":7,"task_id":"g1","status":"SUCCESS","data":{"id":"other","state":"completed"}}}""")]
    [InlineData("piapi", """{"id":"x","data":{"task_id":"g1","status":"completed","output":{"id":"other"}}}""")]
    public void The_id_of_a_wrapped_body_is_ignored(string dialect, string body) =>
        Assert.Equal("g1", Dialect.Read(dialect, body).Id);

    [Theory]
    [InlineData("relay", """{"id":"g1","created_at":"","artifact":{"created_at":"2024-12-22T13:38:40Z"}}""")]
    [InlineData("relay", """{"id":"g1","created_at":"2024-12-22T13:38:40Z","artifact":{"created_at":"0001-01-01T00:00:00Z"}}""")]
    [InlineData("dream-machine", """{"id":"g1","created_at":"2024-12-22T14:38:40.000000+01:00"}""")]
    [InlineData("agents", """{"id":"g1","created_at":1734874720000}""")]
    [InlineData("new-api", """{"data":{"task_id":"g1","created_at":0,"submit_time":1734874720,"data":{"created_at":1}}}""")]
    [InlineData("new-api", """{"data":{"task_id":"g1","data":{"created_at":"2024-12-22T13:38:40Z"}}}""")]
    [InlineData("piapi", """{"data":{"task_id":"g1","created_at":"","output":{"created_at":"2024-12-22T13:38:40Z"}}}""")]
    public void The_time_of_creation_is_read_at_every_place_of_the_variant(string dialect, string body) =>
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1_734_874_720), Dialect.Read(dialect, body).CreatedAt);

    [Theory]
    [InlineData("relay", """{"id":"g1","created_at":1734874720,"artifact":{"created_at":1}}""")]
    [InlineData("new-api", """{"data":{"task_id":"g1","created_at":1734874720,"submit_time":1,"data":{"created_at":2}}}""")]
    [InlineData("new-api", """{"data":{"task_id":"g1","submit_time":1734874720,"data":{"created_at":2}}}""")]
    [InlineData("piapi", """{"data":{"task_id":"g1","created_at":1734874720,"output":{"created_at":1}}}""")]
    public void The_outer_one_of_two_times_of_creation_is_read(string dialect, string body) =>
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1_734_874_720), Dialect.Read(dialect, body).CreatedAt);

    [Theory]
    [InlineData("relay", """{"id":"g1","created_at":"0001-01-01T00:00:00Z","artifact":{"created_at":"0001-01-01T00:00:00Z"}}""")]
    [InlineData("piapi", """{"data":{"task_id":"g1","output":{"created_at":""}}}""")]
    [InlineData("new-api", """{"data":{"task_id":"g1","submit_time":0}}""")]
    public void An_empty_or_zero_time_of_creation_is_null(string dialect, string body) =>
        Assert.Null(Dialect.Read(dialect, body).CreatedAt);
}
