using Microsoft.Extensions.Options;

namespace LumaGateway.Callbacks;

/// <summary>The upstream's callbacks. Bound to <c>Callbacks</c>.</summary>
internal sealed class CallbackOptions
{
    public const string Section = "Callbacks";

    /// <summary>A file with the secret of the callback URL, or with two on two lines during a rotation, each of 16 to 128 characters of <c>A-Z a-z 0-9 _ -</c>. It signs the addresses of creates. The file is read again when it changes. Empty: no callbacks.</summary>
    public string SecretFile { get; set => field = value ?? ""; } = "";

    /// <summary>The gateway's URL for the upstream. If set, the gateway adds its callback address to creates without one, if the dialect has callbacks.</summary>
    public string PublicUrl { get; set => field = value ?? ""; } = "";
}

/// <summary>Validates <see cref="CallbackOptions"/>. No error text contains a secret.</summary>
internal sealed class CallbackOptionsRules : IValidateOptions<CallbackOptions>
{
    private const int MaxUrlLength = 500;

    public ValidateOptionsResult Validate(string? name, CallbackOptions options)
    {
        var faults = new ValidateOptionsResultBuilder();
        if (options.SecretFile.Length > 0 && CallbackSecrets.ReadFile(options.SecretFile) is null)
        {
            faults.AddError("must name a readable file with one secret, or two on two lines, each of 16 to 128 characters of A-Z, a-z, 0-9, '_' and '-'.", "Callbacks:SecretFile");
        }

        if (options.PublicUrl.Length > 0)
        {
            if (options.SecretFile.Length == 0)
            {
                faults.AddError("is required if Callbacks:PublicUrl is set.", "Callbacks:SecretFile");
            }

            if (!Uri.TryCreate(options.PublicUrl, UriKind.Absolute, out var url)
                || url.Scheme is not ("http" or "https") || url.UserInfo.Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0
                || options.PublicUrl.Length > MaxUrlLength)
            {
                faults.AddError($"must be an absolute http(s) address without user info, query or fragment, of at most {MaxUrlLength} characters.", "Callbacks:PublicUrl");
            }
        }

        return faults.Build();
    }
}
