using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>What attributes cannot say about <see cref="LumaOptions"/>. Never repeats a secret.</summary>
internal sealed class LumaOptionsRules(IEnumerable<IUpstreamDialect> dialects, IConfiguration settings) : IValidateOptions<LumaOptions>
{
    private static readonly string[] SharedStores = ["ConnectionStrings:Redis", "ConnectionStrings:Ledger"];

    public ValidateOptionsResult Validate(string? name, LumaOptions options)
    {
        var faults = new ValidateOptionsResultBuilder();

        if (options.BaseAddress.Length == 0)
        {
            faults.AddError("Luma:BaseAddress is required: the upstream's API root, such as https://api.lumalabs.ai/dream-machine/v1.");
        }
        else if (!Uri.TryCreate(options.BaseAddress, UriKind.Absolute, out var root)
            || root.Scheme is not ("http" or "https") || root.UserInfo.Length > 0 || root.Query.Length > 0 || root.Fragment.Length > 0)
        {
            faults.AddError("Luma:BaseAddress must be an absolute http(s) address without user info, query or fragment.");
        }
        else if (root.Scheme is "http" && !options.AllowHttp && !PrivateHost.Is(root))
        {
            faults.AddError("Luma:BaseAddress must begin with https: over http to a public host the token could be read on the way. Where its network is private, set Luma:AllowHttp to true.");
        }

        if (options.Dialect.Length > 0 && !dialects.Any(dialect => dialect.Name == options.Dialect))
        {
            faults.AddError($"Luma:Dialect must be one of {string.Join(", ", dialects.Select(dialect => dialect.Name))}.");
        }

        if (options.Name.Length == 0 && SharedStores.Any(key => settings[key] is { Length: > 0 }))
        {
            faults.AddError(
                "Luma:Name is required where ConnectionStrings:Redis or ConnectionStrings:Ledger is set: it names the upstream account, such as acme-production, and keeps the answers and "
                + "creates of two accounts on one host apart. It must stay the same when the token is rotated.");
        }

        AddTokenFaults(options, faults);

        if (options.AttemptTimeout > options.Deadline)
        {
            faults.AddError("Luma:AttemptTimeout must not be longer than Luma:Deadline.");
        }

        return faults.Build();
    }

    private static void AddTokenFaults(LumaOptions options, ValidateOptionsResultBuilder faults)
    {
        if ((options.ApiKey.Length > 0) == (options.ApiKeyFile.Length > 0))
        {
            faults.AddError("Luma:ApiKey or Luma:ApiKeyFile is required, and only one of them: the upstream token, or a file that holds it.");
        }
        else if (options.ApiKey.Length > 0 && UpstreamTokens.Parse(options.ApiKey) is null)
        {
            faults.AddError("Luma:ApiKey must hold one token, or two separated by a comma, of visible ASCII characters.");
        }
        else if (options.ApiKeyFile.Length > 0 && UpstreamTokens.ReadFile(options.ApiKeyFile) is null)
        {
            faults.AddError("Luma:ApiKeyFile must name a readable file that holds one token, or two on two lines, of visible ASCII characters.");
        }
    }
}
