using LumaGateway.Sandbox.Dialects;

namespace LumaGateway.Sandbox.Gateway;

/// <summary>One gateway of the demo: the dialect of its upstream, and its port on localhost.</summary>
internal sealed record DemoGateway(ISandboxDialect Dialect, int Port)
{
    private const int ManagementOffset = 1000;

    /// <summary>Added to the first port for each dialect. The sandbox itself listens on the port after the first one by default.</summary>
    private static readonly int[] Offsets = [0, 2, 3];

    public int ManagementPort => Port + ManagementOffset;

    public Uri Address => new($"http://localhost:{Port}");

    public Uri Management => new($"http://localhost:{ManagementPort}");

    /// <summary>The gateways of <c>--dialect</c>; with <c>all</c> one for each port offset.</summary>
    public static IReadOnlyList<DemoGateway> Of(SandboxOptions options, DialectSet dialects) => options.Dialect is SandboxOptions.AllDialects
        ? [.. dialects.All.Zip(Offsets, (dialect, offset) => new DemoGateway(dialect, options.GatewayPort + offset))]
        : [new DemoGateway(dialects.Named(options.Dialect), options.GatewayPort)];
}
