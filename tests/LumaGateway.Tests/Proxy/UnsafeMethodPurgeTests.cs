using System.Net;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Proxy;

/// <summary>An unsafe method under <c>/luma</c> purges the generation from the cache, in every spelling of its path.</summary>
public sealed class UnsafeMethodPurgeTests : IDisposable
{
    private readonly RawGateway _raw = new();

    public void Dispose() => _raw.Dispose();

    [Theory]
    [InlineData("DELETE", "/luma/generations/g1")]
    [InlineData("DELETE", "/luma/generations/g1/")]
    [InlineData("DELETE", "/Luma/Generations/g1")]
    [InlineData("DELETE", "/luma/own/generations/g1/")]
    [InlineData("PUT", "/luma/generations/g1/")]
    [InlineData("PATCH", "/luma/GENERATIONS/g1")]
    public async Task An_unsafe_method_purges_the_generation_in_every_spelling_of_its_path(string method, string path)
    {
        _raw.Gateway.With("ReverseProxy:Routes:generation:Match:Methods:3", "PUT").With("ReverseProxy:Routes:generation:Match:Methods:4", "PATCH")
            .With("ReverseProxy:Routes:generation:Match:Path", path.Contains("own", StringComparison.Ordinal) ? "/luma/{own:maxlength(3)}/generations/{one}" : "/luma/generations/{one:generation}");
        _raw.Upstream.ThenJson(Samples.Failed("g1")).ThenJson("{}", HttpStatusCode.NoContent).ThenJson("{}", HttpStatusCode.NotFound);
        using var caller = _raw.CreateCaller();
        using var before = await caller.SendGetAsync("/generations/g1");
        using var request = new HttpRequestMessage(new HttpMethod(method), path);

        using var changed = await caller.SendAsync(request, TestContext.Current.CancellationToken);
        using var after = await caller.SendGetAsync("/generations/g1");

        Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        if (path.Contains("own", StringComparison.Ordinal))
        {
            Assert.Equal(HttpStatusCode.OK, after.StatusCode); // the path names another resource of the upstream
            return;
        }

        await after.ProblemAsync(404, "generation_not_found");
        Assert.Equal("LumaGateway; fwd=method; detail=purged", changed.Header("Cache-Status"));
    }
}
