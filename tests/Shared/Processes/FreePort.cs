using System.Net;
using System.Net.Sockets;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// Loopback ports for programs that need a fixed port. They are below the ephemeral ports of the system. Each test process has its own block of ports, so that
/// concurrent runs do not use the same port. Thread-safe.
/// </summary>
internal static class FreePort
{
    private const int First = 12_000; // so that the second port of a Redis Cluster node, 10,000 higher, is also below the ephemeral ports
    private const int Blocks = 50;
    private const int BlockSize = 200;
    private const int MaxStarts = 5;

    private static readonly (int First, FileStream? Lock) Block = ReserveBlock();
    private static int _next = -1;

    /// <summary>Returns a port without a listener. No other test process uses it.</summary>
    public static int Reserve()
    {
        for (var i = 0; i < BlockSize; i++)
        {
            var port = Block.First + (int)((uint)Interlocked.Increment(ref _next) % BlockSize);
            if (IsFree(port))
            {
                return port;
            }
        }

        throw new InvalidOperationException($"Every port is in use from {Block.First} to {Block.First + BlockSize - 1}.");
    }

    /// <summary>Returns the first of several consecutive ports without a listener. No other test process uses them.</summary>
    public static int ReserveRange(int count)
    {
        for (var i = 0; i < BlockSize; i++)
        {
            var last = (int)((uint)Interlocked.Add(ref _next, count) % BlockSize);
            var ports = Enumerable.Range(Block.First + last - count + 1, count);
            if (last >= count - 1 && ports.All(IsFree))
            {
                return ports.First();
            }
        }

        throw new InvalidOperationException($"No {count} consecutive ports are free from {Block.First} to {Block.First + BlockSize - 1}.");
    }

    /// <summary>Starts a program on a port. Retries with another port if <paramref name="start"/> throws <see cref="PortTakenException"/>.</summary>
    public static async Task<T> UseAsync<T>(Func<int, Task<T>> start)
    {
        for (var starts = 1; ; starts++)
        {
            try
            {
                return await start(Reserve());
            }
            catch (PortTakenException) when (starts < MaxStarts)
            {
                // Retry with another port.
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

    /// <summary>Locks the file of a block. The lock ends with the process.</summary>
    private static (int First, FileStream? Lock) ReserveBlock()
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
                // Another test process uses this block.
            }
        }

        throw new InvalidOperationException($"{Blocks} test processes run already: every block of ports in {folder.FullName} is locked.");
    }
}
