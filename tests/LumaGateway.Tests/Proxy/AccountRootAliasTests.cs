using System.Net;
using System.Text;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Proxy;

/// <summary><c>/luma/dream-machine/v1/…</c>, the same resources as <c>/luma/…</c>.</summary>
public sealed class AccountRootAliasTests : IDisposable
{
    private readonly RawGateway _raw = new();

    public void Dispose() => _raw.Dispose();

    [Theory]
    [InlineData("/luma/dream-machine/v1/generations/g1")]
    [InlineData("/Luma/Dream-Machine/V1/generations/g1")]
    public async Task A_path_with_Lumas_own_root_is_forwarded_without_it(string path)
    {
        _raw.Upstream.ThenJson("""{"id":"g1","state":"queued"}""");
        using var caller = _raw.CreateCaller();

        using var response = await caller.SendGetAsync(path);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.EndsWith("/generations/g1", Assert.Single(_raw.Upstream.Received).Address.AbsolutePath, StringComparison.Ordinal);
        Assert.DoesNotContain("dream-machine", _raw.Upstream.Received.Single().Address.AbsolutePath, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_idempotency_key_sends_one_create_under_both_paths()
    {
        _raw.Upstream.AlwaysJson("""{"id":"g1","state":"queued"}""", HttpStatusCode.Created);
        using var caller = _raw.CreateCaller();

        using var first = await CreateAsync(caller, "/luma/dream-machine/v1/generations/video");
        using var second = await CreateAsync(caller, "/luma/generations/video");

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Created), (first.StatusCode, second.StatusCode));
        Assert.Equal("true", second.Header("Idempotency-Replayed"));
        Assert.Equal(1, _raw.Upstream.RequestCount);
    }

    [Theory]
    [InlineData("/luma/dream-machine/v1")]
    [InlineData("/luma/dream-machine/v1x/generations/g1")]
    [InlineData("/luma/dream-machine/v2/generations/g1")]
    [InlineData("/luma/dream-machine/v1/dream-machine/v1/ping")]
    [InlineData("/luma/dream-machine/v1/nothing")]
    [InlineData("/dream-machine/v1/generations/g1")]
    public async Task No_other_path_is_forwarded(string path)
    {
        using var caller = _raw.CreateCaller();

        using var response = await caller.SendGetAsync(path);

        await AssertProblemAsync(response, HttpStatusCode.NotFound, "not_found");
        Assert.Equal(0, _raw.Upstream.RequestCount);
    }

    [Fact]
    public async Task The_alias_requires_the_same_permission()
    {
        using var caller = _raw.Gateway.CreateCallerWithoutKey();

        using var response = await caller.SendGetAsync("/luma/dream-machine/v1/generations/g1");

        await AssertProblemAsync(response, HttpStatusCode.Unauthorized, "unauthenticated");
    }

    /// <summary>As <c>ProblemAsync</c>, but the problem's <c>instance</c> is the path without the alias.</summary>
    private static async Task AssertProblemAsync(HttpResponseMessage response, HttpStatusCode status, string code)
    {
        Assert.Equal(status, response.StatusCode);
        var problem = await response.JsonAsync();
        Assert.Equal(code, problem.GetProperty("code").GetString());
    }

    private static Task<HttpResponseMessage> CreateAsync(HttpClient caller, string path)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
        request.Headers.Add("Idempotency-Key", "key-1");
        return caller.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
