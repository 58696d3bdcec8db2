using System.Net;
using System.Text.Json;
using LumaGateway.Problems;
using LumaGateway.Upstreams;

namespace LumaGateway.Tests.Upstreams.Dialects;

/// <summary>A page of the account's generations, which only the Dream Machine API gives.</summary>
public sealed class ListTests
{
    private const string Good = """{"id":"g1","state":"completed","assets":{"video":"https://h/v"}}""";

    private static readonly IListingDialect Listing = Dialect.All.OfType<IListingDialect>().Single();

    [Fact]
    public void Only_the_dream_machine_dialect_lists_and_it_asks_for_a_page_by_limit_and_offset()
    {
        Assert.Equal("dream-machine", Listing.Name);
        Assert.Equal("generations?limit=100&offset=2000", Listing.PathOfList(100, 2000));
    }

    [Fact]
    public void A_listed_generation_is_read_as_if_it_had_been_asked_for_alone()
    {
        var page = Read($$"""{"generations":[{{Good}},{"id":"g2","state":"dreaming"},{"id":"g3","state":"odd"}]}""");

        Assert.Equivalent(
            new[] { Dialect.Answer("dream-machine", Good), Dialect.Answer("dream-machine", """{"id":"g2","state":"dreaming"}""", "g2"),
                Dialect.Answer("dream-machine", """{"id":"g3","state":"odd"}""", "g3") },
            page.Results,
            strict: true);
        Assert.Equal([true, true, false], page.Results.Select(answer => answer.IsKnownState));
        Assert.Equal(3, page.Length);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("7")]
    [InlineData("\"g2\"")]
    [InlineData("[]")]
    [InlineData("""{"state":"completed"}""")]
    [InlineData("""{"id":null,"state":"completed"}""")]
    [InlineData("""{"id":"","state":"completed"}""")]
    [InlineData("""{"id":"../credits","state":"completed"}""")]
    [InlineData("""{"id":"image","state":"completed"}""")]
    [InlineData("""{"id":"g2","state":"completed","error":{"code":7}}""")]
    public void A_listed_generation_that_cannot_be_read_is_left_out_but_counted(string broken)
    {
        var page = Read($$"""{"generations":[{{broken}},{{Good}}]}""");

        Assert.Equal("g1", Assert.Single(page.Results).Generation.Id);
        Assert.Equal(2, page.Length);
    }

    [Fact]
    public void An_empty_page_is_a_page()
    {
        var page = Read("""{"has_more":false,"count":0,"limit":10,"offset":0,"generations":[]}""");

        Assert.Empty(page.Results);
        Assert.Equal((0, false), (page.Length, page.HasMore));
    }

    [Theory]
    [InlineData("\"has_more\":true", true)]
    [InlineData("\"has_more\":false", false)]
    [InlineData("\"has_more\":null", false)]
    [InlineData("\"has_more\":\"true\"", false)]
    [InlineData("\"count\":7", false)]
    public void There_are_more_pages_only_if_the_page_says_so(string member, bool hasMore) =>
        Assert.Equal(hasMore, Read($$"""{{{member}},"generations":[]}""").HasMore);

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"generations":null}""")]
    [InlineData("""{"generations":{"0":{"id":"g1"}}}""")]
    [InlineData("""{"generations":"g1"}""")]
    [InlineData("""{"detail":"Not authenticated"}""")]
    public void A_200_that_holds_no_list_is_malformed(string body)
    {
        var refusal = Assert.Throws<UpstreamException>(() => Read(body));

        Assert.Equal(UpstreamFault.Malformed, refusal.Fault);
        Assert.EndsWith(".", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(201, UpstreamFault.Rejected)]
    [InlineData(401, UpstreamFault.TokenRefused)]
    [InlineData(404, UpstreamFault.NotFound)]
    [InlineData(429, UpstreamFault.Throttled)]
    [InlineData(503, UpstreamFault.Failed)]
    public void A_list_with_another_status_is_the_fault_that_the_status_means(int status, UpstreamFault fault) =>
        Assert.Equal(
            fault,
            Assert.Throws<UpstreamException>(() => Read($$"""{"generations":[{{Good}}]}""", (HttpStatusCode)status)).Fault);

    private static DialectPage Read(string body, HttpStatusCode status = HttpStatusCode.OK)
    {
        using var document = JsonDocument.Parse(body);
        return Listing.ReadList(status, document.RootElement);
    }
}
