using System.Net;
using LumaGateway.Tests.Proxy;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Access;

/// <summary>A client with a key and a client with a JWT are two clients, even with the same name.</summary>
public sealed class ClientSourceTests : IAsyncLifetime
{
    private readonly RawGateway _raw = new();
    private Issuer _issuer = null!;

    public async ValueTask InitializeAsync()
    {
        _issuer = await Issuer.StartAsync();
        _raw.Gateway.With("Access:Jwt:Authority", _issuer.Address).With("Access:Jwt:Audience", Issuer.Audience);
    }

    public async ValueTask DisposeAsync()
    {
        _raw.Dispose();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task A_client_with_a_JWT_does_not_get_the_idempotent_replay_of_a_client_with_a_key()
    {
        _raw.Upstream.AlwaysJson("""{"id":"g1"}""", HttpStatusCode.Created);
        using var caller = _raw.CreateCaller();
        using var jwtClient = CreateJwtClient();

        using var first = await CreateAsync(caller);
        using var second = await CreateAsync(jwtClient);

        Assert.Equal(("", ""), (first.Header("Idempotency-Replayed"), second.Header("Idempotency-Replayed")));
        Assert.Equal(2, _raw.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_client_with_a_JWT_has_its_own_limiter()
    {
        _raw.Gateway.With("Access:Clients:0:Limits:RequestsPerSecond", "1").With("Access:Clients:0:Limits:Burst", "1");
        _raw.Upstream.AlwaysJson(Samples.Failed("g1"));
        using var caller = _raw.CreateCaller();
        using var jwtClient = CreateJwtClient();
        using var first = await caller.SendGetAsync("/generations/g1");
        using var second = await caller.SendGetAsync("/generations/g1");

        using var third = await jwtClient.SendGetAsync("/generations/g1");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.TooManyRequests, HttpStatusCode.OK), (first.StatusCode, second.StatusCode, third.StatusCode));
        Assert.Contains(_raw.Gateway.Logs.GetSnapshot(), record => record.Id.Id == 1011 && record.Message.StartsWith("Refused client tests ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("anonymous")]
    [InlineData("unknown")]
    [InlineData("other")]
    public void A_reserved_client_name_is_rejected_at_start_up(string name)
    {
        _raw.Gateway.With("Access:Clients:0:Name", name);

        Assert.ThrowsAny<Exception>(() => _raw.CreateCaller());

        Assert.Contains(_raw.Gateway.StartFaults, fault => fault.Contains("Access:Clients:0:Name", StringComparison.Ordinal));
    }

    private HttpClient CreateJwtClient()
    {
        var token = _issuer.Sign(_raw.Gateway.Clock.GetUtcNow(), claims: [("client_id", "tests"), ("scope", "read raw create")]);
        var jwtClient = _raw.Gateway.CreateCallerWithoutKey();
        jwtClient.DefaultRequestHeaders.Add("Authorization", $"Bearer {token}");
        return jwtClient;
    }

    private static async Task<HttpResponseMessage> CreateAsync(HttpClient caller)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/luma/generations") { Content = new StringContent("{}") };
        request.Headers.Add("Idempotency-Key", "k1");
        return await caller.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
