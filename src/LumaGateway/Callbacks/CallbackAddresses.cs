using Microsoft.Extensions.Options;

namespace LumaGateway.Callbacks;

/// <summary>
/// Makes the addresses at which the upstream calls the gateway. Each holds a token for one create (<see cref="CallbackToken"/>) instead of the secret, because the
/// upstream's responses repeat the address. Thread-safe.
/// </summary>
internal sealed class CallbackAddresses(IOptions<CallbackOptions> options, CallbackSecrets secrets)
{
    private readonly string? _prefix = options.Value.PublicUrl.Length > 0 ? options.Value.PublicUrl.TrimEnd('/') + CallbackEndpoints.RootPath + "/" : null;

    /// <summary>The address for one create; null unless <c>Callbacks:PublicUrl</c> is set.</summary>
    public string? Create() => _prefix is not null && secrets.CreateToken() is { } token ? _prefix + token : null;
}
