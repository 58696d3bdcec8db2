using LumaGateway.Access;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;

namespace LumaGateway.Proxy;

/// <summary>
/// Validates that <c>Access:Clients:&lt;n&gt;:Account</c> names an upstream account. Reads the names unbound, because the options of the upstream may be invalid too, and once: a reload changes the
/// clients, but not the accounts.
/// </summary>
internal sealed class ClientAccountRules(IConfiguration settings) : IValidateOptions<AccessOptions>
{
    private readonly List<string?> _names = NamesIn(settings);

    public ValidateOptionsResult Validate(string? name, AccessOptions options)
    {
        var faults = new ValidateOptionsResultBuilder();
        for (var i = 0; i < options.Clients.Count; i++)
        {
            if (options.Clients[i].Account is { Length: > 0 } account && !_names.Contains(account))
            {
                faults.AddError($"Access:Clients:{i}:Account '{account}' is not the name of an upstream account.");
            }
        }

        return faults.Build();
    }

    private static List<string?> NamesIn(IConfiguration settings)
    {
        var listed = settings.GetSection("Luma:Accounts").GetChildren().Select(static account => account["Name"]).ToList();
        return listed.Count > 0 ? listed : [settings["Luma:Name"] is { Length: > 0 } single ? single : UpstreamAccount.Unnamed];
    }
}
