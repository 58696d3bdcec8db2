using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace LumaGateway.Hosting;

/// <summary>
/// Makes a Linux kernel drop the SYN packets of a port, so that no new connection begins while connections that have begun are still accepted. Closing a port
/// resets the connections that arrive at that moment, together with the request that their client has sent already. The client of a dropped packet repeats it
/// after a second, and finds the port closed.
/// </summary>
internal static class SynFilter
{
    private const int SocketLevel = 1; // SOL_SOCKET
    private const int AttachFilter = 26; // SO_ATTACH_FILTER, see socket(7)

    /// <summary>
    /// A classic BPF program, see Documentation/networking/filter.rst of the kernel. An instruction has a code (16 bits), the number of instructions to skip if a
    /// condition holds (8 bits) or does not (8 bits), and an operand (32 bits). Pinned, because the kernel reads it by its address.
    /// </summary>
    private static readonly ulong[] Instructions = Pinned(
        Instruction(0x30, operand: 13), // load the byte of the TCP header that has the flags, RFC 9293 section 3.1
        Instruction(0x45, operand: 0x02, skippedIfFalse: 1), // is SYN set?
        Instruction(0x06, operand: 0), // drop the packet
        Instruction(0x06, operand: uint.MaxValue)); // keep it

    /// <summary>Has no effect where the kernel or the kind of socket does not support it.</summary>
    public static void Attach(Socket listening)
    {
        if (!OperatingSystem.IsLinux() || listening.AddressFamily is not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6))
        {
            return;
        }

        ReadOnlySpan<long> program = [Instructions.Length, Marshal.UnsafeAddrOfPinnedArrayElement(Instructions, 0)]; // struct sock_fprog
        try
        {
            listening.SetRawSocketOption(SocketLevel, AttachFilter, MemoryMarshal.AsBytes(program));
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The kernel has no socket filters: a connection that arrives while the port closes may be reset. Or the port is closed already.
        }
    }

    private static ulong Instruction(ushort code, uint operand, byte skippedIfFalse = 0) => code | ((ulong)skippedIfFalse << 24) | ((ulong)operand << 32);

    private static ulong[] Pinned(params ReadOnlySpan<ulong> values)
    {
        var array = GC.AllocateUninitializedArray<ulong>(values.Length, pinned: true);
        values.CopyTo(array);
        return array;
    }
}
