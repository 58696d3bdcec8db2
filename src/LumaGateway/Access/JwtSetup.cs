using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace LumaGateway.Access;

/// <summary>Configures JWT validation: signature, audience and lifetime.</summary>
internal sealed class JwtSetup(IOptions<AccessOptions> access, TimeProvider clock) : IConfigureNamedOptions<JwtBearerOptions>
{
    /// <summary>The largest accepted difference between the clocks of the issuer and the gateway.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);

    public void Configure(JwtBearerOptions options) => Configure(JwtBearerDefaults.AuthenticationScheme, options);

    public void Configure(string? name, JwtBearerOptions options)
    {
        var jwt = access.Value.Jwt;
        if (!jwt.IsConfigured)
        {
            return;
        }

        options.Authority = jwt.Authority;
        options.Audience = jwt.Audience;
        options.RequireHttpsMetadata = !new Uri(jwt.Authority).IsLoopback;
        options.BackchannelTimeout = TimeSpan.FromSeconds(5);
        options.RefreshInterval = TimeSpan.FromMinutes(1); // the minimum time between two fetches for an unknown key id
        options.TokenValidationParameters.ValidAlgorithms = // no HMAC (shared secret) and no "none"
        [
            SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
            SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
            SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
        ];
        options.TokenValidationParameters.LifetimeValidator = (notBefore, expires, _, _) =>
        {
            var now = clock.GetUtcNow().UtcDateTime;
            return expires is { } end && now < end + Skew && (notBefore is null || now >= notBefore - Skew);
        };
    }
}
