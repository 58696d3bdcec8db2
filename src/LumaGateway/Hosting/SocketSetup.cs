using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>
/// Lets Kestrel go on where the runtime completes sockets on the thread that hears of them, <c>DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS=1</c>:
/// a request is then read, answered from memory and sent without changing threads. What may wait leaves that thread first, see
/// <see cref="YieldToThreadPool"/>. The one without the other gains nothing.
/// </summary>
internal sealed class SocketSetup : IConfigureOptions<SocketTransportOptions>
{
    private const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"; // the runtime's own, read by it at the start

    public void Configure(SocketTransportOptions sockets) =>
        sockets.UnsafePreferInlineScheduling = Environment.GetEnvironmentVariable(InlineCompletions) is "1";
}
