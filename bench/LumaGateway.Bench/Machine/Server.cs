namespace LumaGateway.Bench.Machine;

/// <summary>A server that answers.</summary>
/// <param name="Name">As it stands in the tables.</param>
/// <param name="Port">On the loopback address.</param>
/// <param name="Process">What runs it; several may be run by one.</param>
internal sealed record Server(string Name, int Port, ServerProcess Process)
{
    public Uri Address => new($"http://127.0.0.1:{Port}");
}
