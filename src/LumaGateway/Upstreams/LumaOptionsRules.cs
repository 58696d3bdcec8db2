using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>The rules for <see cref="LumaOptions"/> that attributes cannot express. The messages contain no secret.</summary>
internal sealed class LumaOptionsRules(IReadOnlyList<IUpstreamDialect> dialects, IConfiguration settings) : IValidateOptions<LumaOptions>
{
    private static readonly string[] SharedStores = ["ConnectionStrings:Redis", "ConnectionStrings:Ledger"];

    public ValidateOptionsResult Validate(string? name, LumaOptions options)
    {
        var errors = new ValidateOptionsResultBuilder();

        if (options.BaseAddress.Length == 0)
        {
            errors.AddError("Luma:BaseAddress is required: the upstream's API root, such as https://api.lumalabs.ai/dream-machine/v1.");
        }
        else if (!Uri.TryCreate(options.BaseAddress, UriKind.Absolute, out var root)
            || root.Scheme is not ("http" or "https") || root.UserInfo.Length > 0 || root.Query.Length > 0 || root.Fragment.Length > 0)
        {
            errors.AddError("Luma:BaseAddress must be an absolute http(s) address without user info, query or fragment.");
        }
        else if (root.Scheme is "http" && !options.AllowHttp && !PrivateHost.Is(root))
        {
            errors.AddError("Luma:BaseAddress must begin with https: over http to a public host, the network can read the token. If the network is private, set Luma:AllowHttp to true.");
        }

        if (options.Dialect.Length > 0 && !dialects.Any(dialect => dialect.Name == options.Dialect))
        {
            errors.AddError($"Luma:Dialect must be one of {string.Join(", ", dialects.Select(dialect => dialect.Name))}.");
        }

        if (options.Name.Length == 0 && SharedStores.Any(key => settings[key] is { Length: > 0 }))
        {
            errors.AddError(
                "Luma:Name is required if ConnectionStrings:Redis or ConnectionStrings:Ledger is set: it names the upstream account, such as acme-production, and separates the "
                + "data of two accounts on one host. It must not change when the token is rotated.");
        }

        AddTokenErrors(options, errors);

        if (options.AttemptTimeout > options.Deadline)
        {
            errors.AddError("Luma:AttemptTimeout must not be longer than Luma:Deadline.");
        }

        return errors.Build();
    }

    private static void AddTokenErrors(LumaOptions options, ValidateOptionsResultBuilder errors)
    {
        if ((options.ApiKey.Length > 0) == (options.ApiKeyFile.Length > 0))
        {
            errors.AddError("Luma:ApiKey or Luma:ApiKeyFile is required, and only one of them: the upstream token, or a file that contains it.");
        }
        else if (options.ApiKey.Length > 0 && UpstreamTokens.Parse(options.ApiKey) is null)
        {
            errors.AddError("Luma:ApiKey must contain one token, or two separated by a comma, of visible ASCII characters.");
        }
        else if (options.ApiKeyFile.Length > 0 && UpstreamTokens.ReadFile(options.ApiKeyFile) is null)
        {
            errors.AddError("Luma:ApiKeyFile must be the path of a readable file with one token, or two on two lines, of visible ASCII characters.");
        }
    }
}
