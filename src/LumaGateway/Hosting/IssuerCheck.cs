using LumaGateway.Access;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>Fetches the JWT issuer's description and its keys.</summary>
internal sealed class IssuerCheck(IOptions<AccessOptions> access, IOptionsMonitor<JwtBearerOptions> jwt, TimeProvider clock) : IConnectionCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public string Name => "issuer";

    public async Task<(Verdict Verdict, string Says)> TryAsync()
    {
        if (!access.Value.Jwt.IsConfigured)
        {
            return (Verdict.NotConfigured, "Access:Jwt:Authority is not set: clients come with keys alone.");
        }

        using var limit = new CancellationTokenSource(Patience, clock);
        try
        {
            var issuer = await jwt.Get(JwtBearerDefaults.AuthenticationScheme).ConfigurationManager!.GetConfigurationAsync(limit.Token);
            return issuer.SigningKeys.Count > 0
                ? (Verdict.Good, "Its keys were found through Access:Jwt:Authority.")
                : (Verdict.Bad, "The issuer of Access:Jwt:Authority publishes no key.");
        }
        catch (Exception exception) when (exception is InvalidOperationException or HttpRequestException or IOException or OperationCanceledException)
        {
            return (Verdict.Bad, "No issuer's description and keys can be had through Access:Jwt:Authority.");
        }
    }
}
