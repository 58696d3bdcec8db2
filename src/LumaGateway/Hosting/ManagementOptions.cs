using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>The listener for those who run the gateway. Bound to <c>Management</c>.</summary>
internal sealed class ManagementOptions
{
    public const string Section = "Management";

    /// <summary>One more port, beside the configured ones, on which alone <c>/metrics</c> and <c>/status</c> are served; null: nowhere.</summary>
    [Number("Management:Port", 1, 65535)]
    public int? Port { get; set; }
}

/// <summary>
/// Whether the management port is a listener of its own. Without <c>Kestrel:Endpoints</c> the gateway adds it, so no configured address may have it. With
/// them it must be listed there, beside another port. A public listener that shared it would serve <c>/metrics</c> and <c>/status</c> to everybody.
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

        if (Listeners.Endpoints(settings) is { Count: > 0 } endpoints)
        {
            return !endpoints.Any(address => Listeners.IsAt(address, port))
                ? ValidateOptionsResult.Fail($"{Key} must be the port of one of Kestrel:Endpoints, since these replace all other listeners.")
                : endpoints.All(address => Listeners.IsAt(address, port))
                    ? ValidateOptionsResult.Fail($"{Key} must not be the only port of Kestrel:Endpoints: it serves no public route.")
                    : ValidateOptionsResult.Success;
        }

        return Listeners.Configured(settings).Any(address => Listeners.IsAt(address, port))
            ? ValidateOptionsResult.Fail(
                $"{Key} must be a port of its own: {port} is a public port already, by ASPNETCORE_URLS, ASPNETCORE_HTTP_PORTS or ASPNETCORE_HTTPS_PORTS (8080 where none is set).")
            : ValidateOptionsResult.Success;
    }
}

[OptionsValidator]
internal sealed partial class ManagementOptionsValidator : IValidateOptions<ManagementOptions>;
