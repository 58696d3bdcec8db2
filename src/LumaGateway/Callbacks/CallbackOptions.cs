using Microsoft.Extensions.Options;

namespace LumaGateway.Callbacks;

/// <summary>The upstream's callbacks. Bound to <c>Callbacks</c>.</summary>
internal sealed class CallbackOptions
{
    public const string Section = "Callbacks";

    /// <summary>A file with the secret of the callback address, or two on two lines while rotating; read again when it changes. Empty: no callbacks.</summary>
    public string SecretFile { get; set; } = "";

    /// <summary>The gateway's address as the upstream reaches it. Set, creates get a <c>callback_url</c> that do not bring their own.</summary>
    public string PublicUrl { get; set; } = "";
}

/// <summary>What <see cref="CallbackOptions"/> must hold. Never repeats a secret.</summary>
internal sealed class CallbackOptionsRules : IValidateOptions<CallbackOptions>
{
    /// <summary>A longer one might not be recognised where an upstream gives it back.</summary>
    private const int MaxUrl = 500;

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
                faults.AddError("is required where Callbacks:PublicUrl is set.", "Callbacks:SecretFile");
            }

            if (!Uri.TryCreate(options.PublicUrl, UriKind.Absolute, out var url)
                || url.Scheme is not ("http" or "https") || url.UserInfo.Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0
                || options.PublicUrl.Length > MaxUrl)
            {
                faults.AddError($"must be an absolute http(s) address without user info, query or fragment, of {MaxUrl} characters at most.", "Callbacks:PublicUrl");
            }
        }

        return faults.Build();
    }
}
