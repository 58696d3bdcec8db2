namespace LumaGateway.Tests.Shared.Processes;

/// <summary>A program cannot start because its port is in use. <see cref="FreePort.UseAsync"/> retries with another port.</summary>
internal sealed class PortTakenException(string output) : Exception($"The port of the program is taken.\n{output}")
{
    /// <summary>Whether the output contains the error text of the operating system, which all programs write.</summary>
    public static bool IsIn(string output) => output.Contains("address already in use", StringComparison.OrdinalIgnoreCase);
}
