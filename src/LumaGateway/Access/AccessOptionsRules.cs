using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace LumaGateway.Access;

/// <summary>What <see cref="AccessOptions"/> must hold: somebody who may come in, and clients that can be told apart.</summary>
internal sealed partial class AccessOptionsRules : IValidateOptions<AccessOptions>
{
    public ValidateOptionsResult Validate(string? name, AccessOptions options)
    {
        var faults = new ValidateOptionsResultBuilder();
        if (options.Clients.Count == 0 && !options.AllowAnonymous)
        {
            faults.AddError("Nobody could come in: set Access:Clients:0:Name and Access:Clients:0:KeySha256, or Access:AllowAnonymous to true.");
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        var digests = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < options.Clients.Count; i++)
        {
            AddFaults(faults, $"Access:Clients:{i}", options.Clients[i], names, digests);
        }

        return faults.Build();
    }

    private static void AddFaults(
        ValidateOptionsResultBuilder faults, string key, ClientOptions client, HashSet<string> names, HashSet<string> digests)
    {
        if (!NamePattern().IsMatch(client.Name))
        {
            faults.AddError($"{key}:Name must be 1 to 64 characters of A-Z, a-z, 0-9, '.', '_' and '-'.");
        }
        else if (!names.Add(client.Name))
        {
            faults.AddError($"{key}:Name '{client.Name}' is the name of an earlier client.");
        }

        var own = client.Digests.ToList();
        if (own.Count is not (1 or 2) || !own.All(digest => DigestPattern().IsMatch(digest)))
        {
            faults.AddError($"{key}:KeySha256 must be the SHA-256 of the client's key, 64 lower-case hex digits, or two of them separated by a comma.");
        }
        else if (!own.All(digests.Add))
        {
            faults.AddError($"{key}:KeySha256 repeats a key.");
        }

        foreach (var right in client.Rights.Where(right => !RightNames.TryParse(right, out _)))
        {
            faults.AddError($"{key}:Rights '{right}' is no right; the rights are {RightNames.All}.");
        }
    }

    [GeneratedRegex("^[A-Za-z0-9._-]{1,64}$")]
    private static partial Regex NamePattern();

    [GeneratedRegex("^[0-9a-f]{64}$")]
    private static partial Regex DigestPattern();
}
