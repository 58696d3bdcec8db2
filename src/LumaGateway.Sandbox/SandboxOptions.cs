using System.ComponentModel.DataAnnotations;
using LumaGateway.Sandbox.Gateway;
using Microsoft.Extensions.Options;

namespace LumaGateway.Sandbox;

/// <summary>Section <c>Sandbox</c>: how the emulated upstream and the demo in front of it are started.</summary>
internal sealed class SandboxOptions
{
    public const string Section = "Sandbox";
    public const string AllDialects = "all";

    /// <summary>Start the sandbox without a gateway in front of it.</summary>
    public bool Alone { get; set; }

    /// <summary>The port of the sandbox on localhost, unless <c>--urls</c> is set.</summary>
    [Range(0, 65535)]
    public int Port { get; set; } = 8081;

    /// <summary>The port of the demo's first gateway on localhost. The others and the management ports follow from it: see <see cref="DemoGateway"/>.</summary>
    [Range(1, 64532)]
    public int GatewayPort { get; set; } = 8080;

    /// <summary>The dialect of the demo's gateway, or <c>all</c> for one gateway for each of the first three. The sandbox itself serves all five.</summary>
    [AllowedValues("all", "relay", "dream-machine", "agents", "new-api", "piapi", ErrorMessage = "--dialect must be all, relay, dream-machine, agents, new-api or piapi.")]
    public string Dialect { get; set; } = AllDialects;

    /// <summary>The initial token of all dialects.</summary>
    [Required]
    public string Token { get; set; } = "sandbox-token";

    /// <summary>The base address in the URLs of assets; null for the address that the sandbox listens on.</summary>
    [Url]
    public string? PublicUrl { get; set; }

    /// <summary>How long a new generation is queued.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan QueuedFor { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a new generation is then processed.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan ProcessingFor { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>The error of the upstream's clock: the difference between <c>created_at</c> and the true time.</summary>
    [Range(typeof(TimeSpan), "-366.00:00:00", "366.00:00:00")]
    public TimeSpan ClockOffset { get; set; }

    /// <summary>The lifetime of a presigned URL.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "7.00:00:00")]
    public TimeSpan UrlsValidFor { get; set; } = TimeSpan.FromHours(1);

    /// <summary>The size of each asset in bytes.</summary>
    [Range(0, long.MaxValue)]
    public long AssetBytes { get; set; } = 1_000_000;

    /// <summary>The most created generations that are not final. A create above it is refused with 429. 0 is no limit.</summary>
    [Range(0, int.MaxValue)]
    public int MaxConcurrentJobs { get; set; }

    /// <summary>The most creates in any 60 seconds. A create above it is refused with 429. 0 is no limit.</summary>
    [Range(0, int.MaxValue)]
    public int MaxCreatesPerMinute { get; set; }
}

[OptionsValidator]
internal sealed partial class SandboxOptionsValidator : IValidateOptions<SandboxOptions>;
