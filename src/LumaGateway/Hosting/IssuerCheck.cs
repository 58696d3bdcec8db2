using LumaGateway.Access;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>Fetches the JWT issuer's metadata and signing keys.</summary>
internal sealed class IssuerCheck(IOptions<AccessOptions> access, IOptionsMonitor<JwtBearerOptions> jwt, TimeProvider clock) : IConnectionCheck
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    public string Name => "issuer";

    public async Task<ConnectionCheckResult> CheckAsync()
    {
        if (!access.Value.Jwt.IsConfigured)
        {
            return new(ConnectionStatus.NotConfigured, "Access:Jwt:Authority is not set: clients authenticate with keys only.");
        }

        using var cancellation = new CancellationTokenSource(Timeout, clock);
        try
        {
            var issuer = await jwt.Get(JwtBearerDefaults.AuthenticationScheme).ConfigurationManager!.GetConfigurationAsync(cancellation.Token);
            return issuer.SigningKeys.Count > 0
                ? new(ConnectionStatus.Ok, "The issuer of Access:Jwt:Authority publishes signing keys.")
                : new(ConnectionStatus.Failed, "The issuer of Access:Jwt:Authority publishes no signing key.");
        }
        catch (Exception exception) when (exception is InvalidOperationException or HttpRequestException or IOException or OperationCanceledException)
        {
            return new(ConnectionStatus.Failed, "The metadata or the signing keys of Access:Jwt:Authority cannot be fetched.");
        }
    }
}
