using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Access;

/// <summary>Which web pages may call the gateway from a browser. Bound to <c>Cors</c>.</summary>
internal sealed class OriginOptions
{
    public const string Section = "Cors";

    /// <summary>The origins of web pages that may call the gateway, as browsers send them, such as <c>https://app.example</c>. At least one origin also enables tickets. Without origins, no page may call the gateway, and there are no tickets.</summary>
    public IList<string> AllowedOrigins { get; init; } = [];

    /// <summary>How long a ticket can be used. A stream or download that has begun is not interrupted when its ticket expires.</summary>
    [Duration("Cors:TicketLifetime", "00:00:10", "1.00:00:00")]
    public TimeSpan TicketLifetime { get; set; } = TimeSpan.FromMinutes(10);
}

[OptionsValidator]
internal sealed partial class OriginOptionsValidator : IValidateOptions<OriginOptions>;

/// <summary>Validates <see cref="OriginOptions"/> beyond its attributes. An origin that no browser sends would never match.</summary>
internal sealed class OriginOptionsRules : IValidateOptions<OriginOptions>
{
    public ValidateOptionsResult Validate(string? name, OriginOptions options)
    {
        var faults = new ValidateOptionsResultBuilder();
        for (var i = 0; i < options.AllowedOrigins.Count; i++)
        {
            if (!IsOrigin(options.AllowedOrigins[i]))
            {
                faults.AddError("must be one origin as a browser sends it: http or https, a host in lower-case ASCII, and a port if it is not the default one; no path, no '/' at the end, no '*'.", $"Cors:AllowedOrigins:{i}");
            }
        }

        return faults.Build();
    }

    private static bool IsOrigin(string text) => Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
        && address.UserInfo.Length == 0 && text.All(char.IsAscii) && !text.Contains('*', StringComparison.Ordinal) && text == address.GetLeftPart(UriPartial.Authority);
}
