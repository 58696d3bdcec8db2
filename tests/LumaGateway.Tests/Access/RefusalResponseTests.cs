using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Access;

/// <summary>The response to a refused request.</summary>
public sealed class RefusalResponseTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public RefusalResponseTests() => _gateway
        .With("Access:Clients:1:Name", "reader").With("Access:Clients:1:KeySha256", Gateway.Digest("reader-key"));

    public void Dispose() => _gateway.Dispose();

    [Theory]
    [InlineData("GET", "/luma/generations/g1", "does not have: raw.", "raw")]
    [InlineData("POST", "/luma/generations", "does not have: raw, create.", "raw create")]
    [InlineData("DELETE", "/generations/g1/cache", "does not have: purge.", "purge")]
    public async Task A_missing_permission_is_named(string method, string path, string named, string scope)
    {
        using var response = await SendAsync(method, path, "reader-key");

        var problem = await response.ProblemAsync(403, "forbidden");
        Assert.Contains(named, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal($"Bearer realm=\"LumaGateway\", error=\"insufficient_scope\", scope=\"{scope}\"", response.Header("WWW-Authenticate"));
    }

    [Fact]
    public async Task An_invalid_key_and_a_missing_key_have_different_challenges()
    {
        using var wrong = await SendAsync("GET", "/generations/g1", "no-such-key");
        using var none = await SendAsync("GET", "/generations/g1", null);

        await wrong.ProblemAsync(401, "unauthenticated");
        await none.ProblemAsync(401, "unauthenticated");
        Assert.Equal("Bearer realm=\"LumaGateway\", error=\"invalid_token\"", wrong.Header("WWW-Authenticate"));
        Assert.Equal("Bearer realm=\"LumaGateway\"", none.Header("WWW-Authenticate"));
    }

    private async Task<HttpResponseMessage> SendAsync(string method, string path, string? key)
    {
        using var caller = _gateway.CreateCallerWithoutKey();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (key is not null)
        {
            request.Headers.Add("X-Api-Key", key);
        }

        return await caller.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
