using System.Net;
using LumaGateway.Access;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace LumaGateway.Tests.Access;

/// <summary>The headers of draft-ietf-httpapi-ratelimit-headers-10, through a gateway in this process.</summary>
[Collection(RunsAlone.Name)]
public sealed class RateLimitHeaderTests : IDisposable
{
    private readonly Gateway _gateway = new Gateway().With("Limits:RequestsPerSecond", "2").With("Limits:Burst", "10").With("Limits:UpstreamCost", "5");

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task The_headers_after_a_miss_a_hit_and_a_second_have_the_remaining_tokens()
    {
        _gateway.Upstream.AlwaysJson(Samples.Failed("g1"));
        using var caller = _gateway.CreateCaller();

        using var miss = await caller.SendGetAsync("/generations/g1");
        using var hit = await caller.SendGetAsync("/generations/g1");
        _gateway.Clock.Advance(TimeSpan.FromSeconds(1));
        using var later = await caller.SendGetAsync("/generations/g1");

        Assert.Equal(["\"requests\";r=5;t=3", "\"requests\";r=4;t=3", "\"requests\";r=5;t=3"], new[] { miss, hit, later }.Select(one => one.Header("RateLimit")));
        Assert.All([miss, hit, later], one => Assert.Equal("\"requests\";q=10;w=5", one.Header("RateLimit-Policy")));
    }

    [Fact]
    public async Task The_headers_of_a_client_over_its_rate_have_no_remaining_tokens()
    {
        _gateway.With("Limits:Burst", "1");
        _gateway.Upstream.AlwaysJson(Samples.Failed("g1"));
        using var caller = _gateway.CreateCaller();
        using var admitted = await caller.SendGetAsync("/generations/g1");

        using var refused = await caller.SendGetAsync("/generations/g1");
        using var batch = await caller.SendGetAsync("/generations?ids=g1,g2");

        Assert.Equal((HttpStatusCode.TooManyRequests, "\"requests\";r=0;t=1"), (refused.StatusCode, refused.Header("RateLimit")));
        Assert.Equal("\"requests\";q=1;w=1", refused.Header("RateLimit-Policy"));
        Assert.NotEqual("", refused.Header("Retry-After"));
        Assert.Equal((HttpStatusCode.TooManyRequests, "\"requests\";r=0;t=1"), (batch.StatusCode, batch.Header("RateLimit")));
    }

    [Theory]
    [InlineData("/generations?ids=g1,g2,g3,g4,g5,g6,g7", HttpStatusCode.TooManyRequests)]
    [InlineData("/generations/g1", HttpStatusCode.BadGateway)]
    [InlineData("/luma/generations/g1", HttpStatusCode.BadGateway)]
    public async Task A_refused_batch_a_failed_read_and_a_failed_request_under_luma_have_the_headers(string path, HttpStatusCode expected)
    {
        _gateway.With("Luma:Retries", "0").With("Limits:UpstreamCost", "2");
        _gateway.Upstream.Always((_, _) => Task.FromResult(ScriptedUpstream.Json("{}", HttpStatusCode.InternalServerError)));
        using var caller = _gateway.CreateCaller();
        for (var i = 0; expected is HttpStatusCode.TooManyRequests && i < 5; i++)
        {
            using var before = await caller.SendGetAsync("/generations?ids=a%20b");
        }

        using var response = await caller.SendGetAsync(path);

        Assert.Equal(expected, response.StatusCode);
        Assert.Matches("^\"requests\";r=[0-9];t=[0-9]$", response.Header("RateLimit"));
        Assert.Equal("\"requests\";q=10;w=5", response.Header("RateLimit-Policy"));
    }

    [Theory]
    [InlineData("Limits:RequestsPerSecond", "0", Gateway.Key, HttpStatusCode.OK)]
    [InlineData("Limits:Burst", "10", "unknown-key", HttpStatusCode.Unauthorized)]
    public async Task Without_a_limit_or_a_client_there_are_no_headers(string key, string value, string clientKey, HttpStatusCode expected)
    {
        _gateway.With(key, value);
        _gateway.Upstream.AlwaysJson(Samples.Failed("g1"));
        using var caller = _gateway.CreateCallerWithoutKey();
        caller.DefaultRequestHeaders.Add("X-Api-Key", clientKey);

        using var response = await caller.SendGetAsync("/generations/g1");

        Assert.Equal((expected, "", ""), (response.StatusCode, response.Header("RateLimit"), response.Header("RateLimit-Policy")));
    }

    [Theory]
    [InlineData(0, 0, 500)]
    [InlineData(1, 1, 500)]
    [InlineData(99, 99, 491)]
    [InlineData(100, 100, 490)]
    [InlineData(109, 100, 490)]
    [InlineData(110, 110, 489)]
    [InlineData(999, 990, 401)]
    [InlineData(1000, 1000, 400)]
    [InlineData(4999, 4900, 10)]
    [InlineData(5000, 5000, 0)]
    [InlineData(9999, 5000, 0)]
    public void Above_100_the_tokens_are_rounded_down_to_two_digits(int tokens, int remaining, int seconds)
    {
        var headers = new HeaderDictionary();

        new RateLimitHeaders(perSecond: 10, burst: 5000).Set(headers, tokens);

        Assert.Equal($"\"requests\";r={remaining};t={seconds}", headers["RateLimit"]);
    }

    [Fact]
    public void A_repeated_number_of_tokens_allocates_nothing()
    {
        var (headers, limits) = (new HeaderDictionary(), new RateLimitHeaders(perSecond: 1000, burst: 5000));

        Assert.Equal(0, Allocations.MinimumOf(() =>
        {
            for (var tokens = 0; tokens <= 5000; tokens++)
            {
                limits.Set(headers, tokens);
            }
        }));
    }
}
