using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace LumaGateway.Sandbox;

/// <summary>Section <c>Sandbox</c>: how the emulated upstream and the demo in front of it are started.</summary>
internal sealed class SandboxOptions
{
    public const string Section = "Sandbox";

    /// <summary>Start the sandbox without a gateway in front of it.</summary>
    public bool Alone { get; set; }

    /// <summary>Where the sandbox listens on localhost, unless <c>--urls</c> says otherwise.</summary>
    [Range(0, 65535)]
    public int Port { get; set; } = 8081;

    /// <summary>Where the gateway of the demo listens on localhost.</summary>
    [Range(1, 65535)]
    public int GatewayPort { get; set; } = 8080;

    /// <summary>The dialect that the gateway of the demo speaks; the sandbox itself always serves all three.</summary>
    [AllowedValues("relay", "dream-machine", "agents", ErrorMessage = "--dialect must be relay, dream-machine or agents.")]
    public string Dialect { get; set; } = "relay";

    /// <summary>The bearer token that every dialect asks for at first.</summary>
    [Required]
    public string Token { get; set; } = "sandbox-token";

    /// <summary>The sandbox's address in the URLs it hands out; none: the one it is bound to.</summary>
    [Url]
    public string? PublicUrl { get; set; }

    /// <summary>How long a new generation is queued.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan QueuedFor { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long it is then processed.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan ProcessingFor { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a presigned URL works.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "7.00:00:00")]
    public TimeSpan UrlsValidFor { get; set; } = TimeSpan.FromHours(1);

    /// <summary>The size of each asset that a generation names, in bytes.</summary>
    [Range(0, long.MaxValue)]
    public long AssetBytes { get; set; } = 1_000_000;
}

[OptionsValidator]
internal sealed partial class SandboxOptionsValidator : IValidateOptions<SandboxOptions>;
