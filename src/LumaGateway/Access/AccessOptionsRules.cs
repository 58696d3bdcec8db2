using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace LumaGateway.Access;

/// <summary>Validates <see cref="AccessOptions"/>: at least one way to authenticate, unique client names and unique keys.</summary>
internal sealed partial class AccessOptionsRules : IValidateOptions<AccessOptions>
{
    public ValidateOptionsResult Validate(string? name, AccessOptions options)
    {
        var faults = new ValidateOptionsResultBuilder();
        if (options.Clients.Count == 0 && !options.AllowAnonymous && !options.Jwt.IsConfigured)
        {
            faults.AddError("No client can authenticate: set Access:Clients:0:Name and Access:Clients:0:KeySha256, or Access:Jwt:Authority and Access:Jwt:Audience, or Access:AllowAnonymous to true.");
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        var digests = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < options.Clients.Count; i++)
        {
            AddFaults(faults, $"Access:Clients:{i}", options.Clients[i], names, digests);
        }

        AddFaults(faults, options.Jwt);
        return faults.Build();
    }

    private static void AddFaults(ValidateOptionsResultBuilder faults, JwtOptions jwt)
    {
        if (!jwt.IsConfigured)
        {
            return;
        }

        if (!Uri.TryCreate(jwt.Authority, UriKind.Absolute, out var authority) || authority.UserInfo.Length > 0
            || !(authority.Scheme is "https" || (authority.Scheme is "http" && authority.IsLoopback)))
        {
            faults.AddError("must be the issuer's absolute https address (http on the loopback address only).", "Access:Jwt:Authority");
        }

        if (jwt.Audience.Length == 0)
        {
            faults.AddError("is required with Access:Jwt:Authority: the gateway must reject tokens for other services.", "Access:Jwt:Audience");
        }

        if (jwt.MaxTokenBytes is < 1024 or > 64 * 1024)
        {
            faults.AddError("must be between 1024 and 65536.", "Access:Jwt:MaxTokenBytes");
        }

        if (jwt.ClientNameClaim.Length == 0)
        {
            faults.AddError("must name a claim.", "Access:Jwt:ClientNameClaim");
        }

        if (jwt.RightsClaim.Length == 0)
        {
            faults.AddError("must name a claim.", "Access:Jwt:RightsClaim");
        }
    }

    private static void AddFaults(
        ValidateOptionsResultBuilder faults, string key, ClientOptions client, HashSet<string> names, HashSet<string> digests)
    {
        if (!NamePattern().IsMatch(client.Name))
        {
            faults.AddError($"{key}:Name must be 1 to 64 characters of A-Z, a-z, 0-9, '.', '_' and '-'.");
        }
        else if (client.Name is Client.AnonymousName or Client.UnknownName or AccessMetrics.OtherClients)
        {
            faults.AddError($"{key}:Name '{client.Name}' is reserved: choose another name.");
        }
        else if (!names.Add(client.Name))
        {
            faults.AddError($"{key}:Name '{client.Name}' is used by another client.");
        }

        var own = client.Digests.ToList();
        if (own.Count is not (1 or 2) || !own.All(digest => DigestPattern().IsMatch(digest)))
        {
            faults.AddError($"{key}:KeySha256 must be the SHA-256 of the client's key, 64 lower-case hex digits, or two of them separated by a comma.");
        }
        else if (!own.All(digests.Add))
        {
            faults.AddError($"{key}:KeySha256 contains a key that is used twice.");
        }

        if (client.Group.Length > 0 && !Client.IsGroup(client.Group))
        {
            faults.AddError($"{key}:Group must be 1 to 128 characters of A-Z, a-z, 0-9, '.', '_', '@', ':', '/', '|' and '-'.");
        }

        AddFaults(faults, $"{key}:Limits", client.Limits);
        foreach (var right in client.Rights.Where(right => !PermissionNames.TryParse(right, out _)))
        {
            faults.AddError($"{key}:Rights '{right}' is not a permission. The permissions are {PermissionNames.All}.");
        }
    }

    private static void AddFaults(ValidateOptionsResultBuilder faults, string key, ClientLimitsOptions limits)
    {
        if (limits.RequestsPerSecond is < 0 or > 1_000_000)
        {
            faults.AddError("must be between 0 and 1000000.", $"{key}:RequestsPerSecond");
        }

        if (limits.Burst is < 1 or > 10_000_000)
        {
            faults.AddError("must be between 1 and 10000000.", $"{key}:Burst");
        }

        if (limits.Concurrency is < 0 or > 1_000_000)
        {
            faults.AddError("must be between 0 and 1000000.", $"{key}:Concurrency");
        }
    }

    [GeneratedRegex(@"\A[A-Za-z0-9._-]{1,64}\z")]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"\A[0-9a-f]{64}\z")]
    private static partial Regex DigestPattern();
}
