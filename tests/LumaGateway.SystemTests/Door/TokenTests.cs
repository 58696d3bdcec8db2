using System.Net;
using System.Net.Http.Headers;

namespace LumaGateway.SystemTests.Door;

/// <summary>JWTs, as far as it matters what the gateway was compiled to: keys are found, read and used by libraries that were not made for native code. Needs nothing but the gateway.</summary>
public sealed class TokenTests(SharedSandbox shared)
{
    [Fact]
    public async Task A_token_of_the_issuer_lets_in_for_what_it_lists_and_a_forged_one_for_nothing()
    {
        await using var issuer = await Issuer.StartAsync();
        var sandbox = await shared.GetAsync();
        await using var gateway = await GatewayProcess.StartAsync(new Dictionary<string, string>(Fleet.SettingsFor(sandbox, redis: null))
        {
            ["Access:AllowAnonymous"] = "false",
            ["Access:Jwt:Authority"] = issuer.Address,
            ["Access:Jwt:Audience"] = Issuer.Audience,
        });
        var now = TimeProvider.System.GetUtcNow();
        var token = issuer.Sign(now, claims: [("client_id", "robot"), ("scope", new[] { "read", "assets" })]);

        Assert.Equal(HttpStatusCode.OK, await AskAsync(gateway, token, $"/generations/{SandboxProcess.SampleId}"));
        Assert.Equal(HttpStatusCode.Forbidden, await AskAsync(gateway, token, $"/luma/generations/{SandboxProcess.SampleId}"));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(gateway, token[..^8] + "AAAAAAAA", $"/generations/{SandboxProcess.SampleId}"));
    }

    private static async Task<HttpStatusCode> AskAsync(GatewayProcess gateway, string token, string path)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = gateway.Address, Timeout = Wait.Patience };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        return response.StatusCode;
    }
}
