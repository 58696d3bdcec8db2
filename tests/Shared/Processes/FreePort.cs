using System.Net;
using System.Net.Sockets;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// Loopback ports for programs that cannot let the system choose one, and for those that must come back where they were. They are below the ports that
/// the system gives to outgoing connections. Each test process has a block of its own, so that two runs at once never use the same port. Thread-safe.
/// </summary>
internal static class FreePort
{
    private const int First = 12_000; // so that a Redis Cluster's second port, 10,000 above the first, is below the system's ports too
    private const int Blocks = 50;
    private const int BlockSize = 200;
    private const int MaxStarts = 5;

    private static readonly (int First, FileStream? Lock) Block = Reserve();
    private static int _next = -1;

    /// <summary>A port that nothing listens on. No other test process takes it.</summary>
    public static int Lasting()
    {
        for (var i = 0; i < BlockSize; i++)
        {
            var port = Block.First + (int)((uint)Interlocked.Increment(ref _next) % BlockSize);
            if (IsFree(port))
            {
                return port;
            }
        }

        throw new InvalidOperationException($"Something listens on every port from {Block.First} to {Block.First + BlockSize - 1}.");
    }

    /// <summary>Starts a program on a port, and again on another one if something else took it first: <paramref name="start"/> throws <see cref="PortTakenException"/> then.</summary>
    public static async Task<T> UseAsync<T>(Func<int, Task<T>> start)
    {
        for (var starts = 1; ; starts++)
        {
            try
            {
                return await start(Lasting());
            }
            catch (PortTakenException) when (starts < MaxStarts)
            {
                // Another port, then.
            }
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var probe = new TcpListener(IPAddress.Loopback, port);
            probe.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>The lock on a block's file ends with the process, however it ends.</summary>
    private static (int First, FileStream? Lock) Reserve()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), $"luma-ports-{Environment.UserName}"));
        var first = Random.Shared.Next(Blocks);
        foreach (var block in Enumerable.Range(0, Blocks).Select(i => (first + i) % Blocks))
        {
            try
            {
                return (First + (block * BlockSize), new FileStream(Path.Combine(folder.FullName, $"{block}"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (IOException)
            {
                // Another test process has it.
            }
        }

        throw new InvalidOperationException($"{Blocks} test processes run already: every block of ports in {folder.FullName} is locked.");
    }
}
