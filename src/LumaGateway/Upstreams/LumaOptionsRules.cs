using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>The rules for <see cref="LumaOptions"/> that attributes cannot express. The messages contain no secret.</summary>
internal sealed partial class LumaOptionsRules(IReadOnlyList<IUpstreamDialect> dialects, IConfiguration settings) : IValidateOptions<LumaOptions>
{
    private const int MaxWeight = 1000;
    private const int MaxLimit = 100_000;

    private static readonly string[] SharedStores = ["ConnectionStrings:Redis", "ConnectionStrings:Ledger"];
    private static readonly string[] SingleKeys = ["Luma:BaseAddress", "Luma:Dialect", "Luma:Name", "Luma:ApiKey", "Luma:ApiKeyFile", "Luma:MaxConcurrentJobs", "Luma:MaxCreatesPerMinute"];

    public ValidateOptionsResult Validate(string? name, LumaOptions options)
    {
        var errors = new ValidateOptionsResultBuilder();
        if (options.Accounts.Count > 0)
        {
            AddListErrors(options, errors);
        }
        else
        {
            AddErrors(LumaOptions.Section, options.AllAccounts[0], options.AllowHttp, errors);
            if (options.Name.Length == 0 && SharedStores.Any(key => settings[key] is { Length: > 0 }))
            {
                errors.AddError(
                    "Luma:Name is required if ConnectionStrings:Redis or ConnectionStrings:Ledger is set: it names the upstream account, such as acme-production, and separates the "
                    + "data of two accounts on one host. It must not change when the token is rotated.");
            }
        }

        if (options.AttemptTimeout > options.Deadline)
        {
            errors.AddError("Luma:AttemptTimeout must not be longer than Luma:Deadline.");
        }

        return errors.Build();
    }

    private void AddListErrors(LumaOptions options, ValidateOptionsResultBuilder errors)
    {
        foreach (var key in SingleKeys.Where(key => settings[key] is { Length: > 0 }))
        {
            errors.AddError($"{key} must not be set with Luma:Accounts: move it into an account of the list.");
        }

        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < options.Accounts.Count; i++)
        {
            var (key, account) = ($"Luma:Accounts:{i}", options.Accounts[i]);
            if (!NamePattern().IsMatch(account.Name))
            {
                errors.AddError($"{key}:Name must be 1 to 64 characters of A-Z, a-z, 0-9, '.', '_' and '-'.");
            }
            else if (!names.Add(account.Name))
            {
                errors.AddError($"{key}:Name is used by another account.");
            }

            AddErrors(key, account, options.AllowHttp, errors);
            AddRangeError(errors, $"{key}:Weight", account.Weight, 1, MaxWeight);
            AddRangeError(errors, $"{key}:MaxConcurrentJobs", account.MaxConcurrentJobs, 0, MaxLimit);
            AddRangeError(errors, $"{key}:MaxCreatesPerMinute", account.MaxCreatesPerMinute, 0, MaxLimit);
        }
    }

    private static void AddRangeError(ValidateOptionsResultBuilder errors, string key, int value, int min, int max)
    {
        if (value < min || value > max)
        {
            errors.AddError($"{key} must be between {min} and {max}.");
        }
    }

    /// <param name="key">The section of the account.</param>
    /// <param name="account">The account.</param>
    /// <param name="allowHttp">See <see cref="LumaOptions.AllowHttp"/>.</param>
    /// <param name="errors">Receives the errors.</param>
    private void AddErrors(string key, AccountOptions account, bool allowHttp, ValidateOptionsResultBuilder errors)
    {
        if (account.BaseAddress.Length == 0)
        {
            errors.AddError($"{key}:BaseAddress is required: the upstream's API root, such as https://api.lumalabs.ai/dream-machine/v1.");
        }
        else if (!Uri.TryCreate(account.BaseAddress, UriKind.Absolute, out var root)
            || root.Scheme is not ("http" or "https") || root.UserInfo.Length > 0 || root.Query.Length > 0 || root.Fragment.Length > 0)
        {
            errors.AddError($"{key}:BaseAddress must be an absolute http(s) address without user info, query or fragment.");
        }
        else if (root.Scheme is "http" && !allowHttp && !PrivateHost.Is(root))
        {
            errors.AddError($"{key}:BaseAddress must begin with https: over http to a public host, the network can read the token. If the network is private, set Luma:AllowHttp to true.");
        }

        if ((account.Dialect.Length > 0 || key != LumaOptions.Section) && !dialects.Any(dialect => dialect.Name == account.Dialect))
        {
            errors.AddError($"{key}:Dialect must be one of {string.Join(", ", dialects.Select(dialect => dialect.Name))}.");
        }

        AddTokenErrors(key, account, errors);
    }

    private static void AddTokenErrors(string key, AccountOptions account, ValidateOptionsResultBuilder errors)
    {
        if ((account.ApiKey.Length > 0) == (account.ApiKeyFile.Length > 0))
        {
            errors.AddError($"{key}:ApiKey or {key}:ApiKeyFile is required, and only one of them: the upstream token, or a file that contains it.");
        }
        else if (account.ApiKey.Length > 0 && UpstreamTokens.Parse(account.ApiKey) is null)
        {
            errors.AddError($"{key}:ApiKey must contain one token, or two separated by a comma, of visible ASCII characters.");
        }
        else if (account.ApiKeyFile.Length > 0 && UpstreamTokens.ReadFile(account.ApiKeyFile) is null)
        {
            errors.AddError($"{key}:ApiKeyFile must be the path of a readable file with one token, or two on two lines, of visible ASCII characters.");
        }
    }

    [GeneratedRegex(@"\A[A-Za-z0-9._-]{1,64}\z")]
    private static partial Regex NamePattern();
}
