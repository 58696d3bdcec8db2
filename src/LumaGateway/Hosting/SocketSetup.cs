using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>
/// With <c>DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS=1</c> the runtime completes socket operations on the thread that waits for all sockets. This
/// class lets Kestrel continue on that thread, so a hit in memory is read and written without a change of thread. Other requests leave that thread, see
/// <see cref="YieldToThreadPool"/>. Neither setting has an effect without the other.
/// </summary>
internal sealed class SocketSetup : IConfigureOptions<SocketTransportOptions>
{
    private const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"; // a variable of the .NET runtime

    public void Configure(SocketTransportOptions sockets) =>
        sockets.UnsafePreferInlineScheduling = Environment.GetEnvironmentVariable(InlineCompletions) is "1";
}
