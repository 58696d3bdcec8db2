using LumaGateway.Contracts;
using Microsoft.Extensions.Options;

namespace LumaGateway.Features.Server;

/// <summary>The listener for those who run the gateway. Bound to <c>Management</c>.</summary>
internal sealed class ManagementOptions
{
    public const string Section = "Management";

    /// <summary>One more port, beside the configured ones, on which alone <c>/metrics</c> and <c>/status</c> are served; null: nowhere.</summary>
    [Number("Management:Port", 1, 65535)]
    public int? Port { get; set; }
}

[OptionsValidator]
internal sealed partial class ManagementOptionsValidator : IValidateOptions<ManagementOptions>;
