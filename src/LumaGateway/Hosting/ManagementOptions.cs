using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>The listener for operators. Bound to <c>Management</c>.</summary>
internal sealed class ManagementOptions
{
    public const string Section = "Management";

    /// <summary>An additional port. Only this port serves <c>/metrics</c> and <c>/status</c>; empty disables them. It also serves the health checks.</summary>
    [Number("Management:Port", 1, 65535)]
    public int? Port { get; set; }
}

/// <summary>
/// Checks that the management port is separate from the public ports: a shared port would serve <c>/metrics</c> and <c>/status</c> to every caller.
/// Without <c>Kestrel:Endpoints</c> the gateway adds the port, so no configured address may have it. Otherwise <c>Kestrel:Endpoints</c> must contain the
/// management port and another port.
/// </summary>
internal sealed class ManagementOptionsRules(IConfiguration settings) : IValidateOptions<ManagementOptions>
{
    private const string Key = "Management:Port";

    public ValidateOptionsResult Validate(string? name, ManagementOptions options)
    {
        if (options.Port is not { } port)
        {
            return ValidateOptionsResult.Success;
        }

        if (Listeners.KestrelEndpoints(settings) is { Count: > 0 } endpoints)
        {
            return !endpoints.Any(address => Listeners.HasPort(address, port))
                ? ValidateOptionsResult.Fail($"{Key} must be the port of one of Kestrel:Endpoints, because they replace all other listeners.")
                : endpoints.All(address => Listeners.HasPort(address, port))
                    ? ValidateOptionsResult.Fail($"{Key} must not be the only port of Kestrel:Endpoints: it serves no public endpoint.")
                    : ValidateOptionsResult.Success;
        }

        return Listeners.HostAddresses(settings).Any(address => Listeners.HasPort(address, port))
            ? ValidateOptionsResult.Fail(
                $"{Key} must be a port of its own: {port} is already a public port, set by ASPNETCORE_URLS, ASPNETCORE_HTTP_PORTS or ASPNETCORE_HTTPS_PORTS (8080 by default).")
            : ValidateOptionsResult.Success;
    }
}

[OptionsValidator]
internal sealed partial class ManagementOptionsValidator : IValidateOptions<ManagementOptions>;
