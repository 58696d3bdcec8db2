using System.Net;
using LumaGateway.Tests.Proxy;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Access;

/// <summary>A client known by a key and one known by a JWT are two clients, though they have one name.</summary>
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
    public async Task A_client_of_a_jwt_does_not_get_the_replays_of_a_client_of_a_key()
    {
        _raw.Upstream.AlwaysJson("""{"id":"g1"}""", HttpStatusCode.Created);
        using var caller = _raw.CreateCaller();
        using var robot = CreateRobot();

        using var first = await CreateAsync(caller);
        using var second = await CreateAsync(robot);

        Assert.Equal(("", ""), (first.Header("Idempotency-Replayed"), second.Header("Idempotency-Replayed")));
        Assert.Equal(2, _raw.Upstream.Asked);
    }

    [Fact]
    public async Task A_client_of_a_jwt_has_an_allowance_of_its_own_and_is_counted_apart()
    {
        _raw.Gateway.With("Access:Clients:0:Limits:RequestsPerSecond", "1").With("Access:Clients:0:Limits:Burst", "1");
        _raw.Upstream.AlwaysJson(Samples.Failed("g1"));
        using var caller = _raw.CreateCaller();
        using var robot = CreateRobot();
        using var first = await caller.AskAsync("/generations/g1");
        using var second = await caller.AskAsync("/generations/g1");

        using var third = await robot.AskAsync("/generations/g1");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.TooManyRequests, HttpStatusCode.OK), (first.StatusCode, second.StatusCode, third.StatusCode));
        Assert.Contains(_raw.Gateway.Logs.GetSnapshot(), record => record.Id.Id == 1011 && record.Message.StartsWith("Refused tests ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("anonymous")]
    [InlineData("unknown")]
    [InlineData("other")]
    public void A_name_that_the_gateway_gives_itself_is_refused(string name)
    {
        _raw.Gateway.With("Access:Clients:0:Name", name);

        Assert.ThrowsAny<Exception>(() => _raw.CreateCaller());

        Assert.Contains(_raw.Gateway.StartFaults, fault => fault.Contains("Access:Clients:0:Name", StringComparison.Ordinal));
    }

    private HttpClient CreateRobot()
    {
        var token = _issuer.Sign(_raw.Gateway.Clock.GetUtcNow(), claims: [("client_id", "tests"), ("scope", "read raw create")]);
        var robot = _raw.Gateway.CreateStranger();
        robot.DefaultRequestHeaders.Add("Authorization", $"Bearer {token}");
        return robot;
    }

    private static async Task<HttpResponseMessage> CreateAsync(HttpClient caller)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/luma/generations") { Content = new StringContent("{}") };
        request.Headers.Add("Idempotency-Key", "k1");
        return await caller.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
