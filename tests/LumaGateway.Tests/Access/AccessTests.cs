using System.Net;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Access;

public sealed class AccessTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Theory]
    [InlineData("Authorization", $"Bearer {Gateway.Key}")]
    [InlineData("Authorization", $"bearer {Gateway.Key}")]
    [InlineData("X-Api-Key", Gateway.Key)]
    public async Task A_known_key_authenticates_its_client(string header, string value)
    {
        _gateway.Upstream.ThenJson(Samples.Failed("g1"));
        using var client = _gateway.CreateCallerWithoutKey();
        client.DefaultRequestHeaders.TryAddWithoutValidation(header, value);

        using var response = await client.SendGetAsync("/generations/g1");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("X-Api-Key", "another-key")]
    [InlineData("X-Api-Key", "")]
    [InlineData("Authorization", "Bearer another-key")]
    [InlineData("Authorization", "Bearer ")]
    [InlineData("Authorization", $"Basic {Gateway.Key}")]
    [InlineData("Authorization", Gateway.Key)]
    public async Task A_missing_or_unknown_key_is_refused_without_an_upstream_request(string? header, string? value)
    {
        using var client = _gateway.CreateCallerWithoutKey();
        if (header is not null)
        {
            client.DefaultRequestHeaders.TryAddWithoutValidation(header, value);
        }

        using var response = await client.SendGetAsync("/generations/g1");

        await response.ProblemAsync(401, "unauthenticated");
        Assert.StartsWith("Bearer", response.Header("WWW-Authenticate"), StringComparison.Ordinal);
        Assert.Equal(0, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_key_over_the_maximum_length_is_refused()
    {
        using var client = _gateway.CreateCallerWithoutKey();
        client.DefaultRequestHeaders.Add("X-Api-Key", new string('k', 4096));

        using var response = await client.SendGetAsync("/generations/g1");

        await response.ProblemAsync(401, "unauthenticated");
    }

    [Fact]
    public async Task A_client_without_the_permission_is_refused()
    {
        _gateway.With("Access:Clients:1:Name", "reader").With("Access:Clients:1:KeySha256", Gateway.Digest("reader-key"));
        using var reader = _gateway.CreateCallerWithoutKey();
        reader.DefaultRequestHeaders.Add("X-Api-Key", "reader-key");

        using var purge = await reader.DeleteAsync("/generations/g1/cache", TestContext.Current.CancellationToken);
        using var raw = await reader.SendGetAsync("/luma/generations/g1");

        await purge.ProblemAsync(403, "forbidden");
        await raw.ProblemAsync(403, "forbidden");
    }

    [Fact]
    public async Task Both_keys_of_a_client_are_valid_while_they_are_rotated()
    {
        _gateway.With("Access:Clients:0:KeySha256", $"{Gateway.Digest("old-key")}, {Gateway.Digest("new-key")}");
        _gateway.Upstream.ThenJson(Samples.Failed("g1"));
        foreach (var key in new[] { "old-key", "new-key" })
        {
            using var client = _gateway.CreateCallerWithoutKey();
            client.DefaultRequestHeaders.Add("X-Api-Key", key);
            using var response = await client.SendGetAsync("/generations/g1");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
    }

    [Fact]
    public async Task Anonymous_callers_can_only_read_if_they_are_allowed()
    {
        _gateway.With("Access:AllowAnonymous", "true");
        _gateway.Upstream.ThenJson(Samples.Failed("g1"));
        using var client = _gateway.CreateCallerWithoutKey();

        using var read = await client.SendGetAsync("/generations/g1");
        using var raw = await client.SendGetAsync("/luma/generations/g1");
        using var wrong = new HttpRequestMessage(HttpMethod.Get, "/generations/g1");
        wrong.Headers.Add("X-Api-Key", "wrong");
        using var refused = await client.SendAsync(wrong, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        await raw.ProblemAsync(403, "forbidden");
        await refused.ProblemAsync(401, "unauthenticated");
    }

    [Theory]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/swagger/index.html")]
    public async Task Probes_and_the_OpenAPI_document_require_no_key(string path)
    {
        using var client = _gateway.CreateCallerWithoutKey();

        using var response = await client.SendGetAsync(path);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }
}
