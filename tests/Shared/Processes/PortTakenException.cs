namespace LumaGateway.Tests.Shared.Processes;

/// <summary>A program could not be started because another one listens on its port. <see cref="FreePort.UseAsync"/> starts it again with another port.</summary>
internal sealed class PortTakenException(string output) : Exception($"The port of the program is taken.\n{output}")
{
    /// <summary>Whether a program's output says so. nginx, HAProxy, Redis, Prometheus, Go, .NET: all use the system's words.</summary>
    public static bool IsToldBy(string output) => output.Contains("address already in use", StringComparison.OrdinalIgnoreCase);
}
