using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;

namespace LumaGateway.Sandbox;

/// <summary>The address of the sandbox for callers, without a trailing slash. Available once it listens.</summary>
internal sealed class PublicAddress(SandboxOptions options, IServer server)
{
    public string Value => (options.PublicUrl ?? Bound).TrimEnd('/');

    private string Bound =>
        server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First()
            .Replace("//0.0.0.0", "//127.0.0.1", StringComparison.Ordinal)
            .Replace("//[::]", "//localhost", StringComparison.Ordinal)
            .Replace("//*", "//localhost", StringComparison.Ordinal);
}
