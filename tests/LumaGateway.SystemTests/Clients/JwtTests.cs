using System.Net;
using System.Net.Http.Headers;

namespace LumaGateway.SystemTests.Clients;

/// <summary>JWTs in the compiled gateway: the JWT libraries use reflection, which native AOT may break.</summary>
public sealed class JwtTests(SharedSandbox shared)
{
    [Fact]
    public async Task A_token_of_the_issuer_has_its_permissions_and_a_forged_token_is_refused()
    {
        await using var issuer = await Issuer.StartAsync();
        var sandbox = await shared.GetAsync();
        await using var gateway = await GatewayProcess.StartAsync(new Dictionary<string, string>(ReplicaGroup.SettingsFor(sandbox, redis: null))
        {
            ["Access:AllowAnonymous"] = "false",
            ["Access:Jwt:Authority"] = issuer.Address,
            ["Access:Jwt:Audience"] = Issuer.Audience,
        });
        var now = TimeProvider.System.GetUtcNow();
        var token = issuer.Sign(now, claims: [("client_id", "robot"), ("scope", new[] { "read", "assets" })]);

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(gateway, token, $"/generations/{SandboxProcess.SampleId}"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(gateway, token, $"/luma/generations/{SandboxProcess.SampleId}"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(gateway, token[..^8] + "AAAAAAAA", $"/generations/{SandboxProcess.SampleId}"));
    }

    private static async Task<HttpStatusCode> StatusAsync(GatewayProcess gateway, string token, string path)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = gateway.Address, Timeout = Wait.Timeout };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        return response.StatusCode;
    }
}
