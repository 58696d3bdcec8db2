namespace LumaGateway.Tests.Shared.Processes;

/// <summary>The gateway program: the assembly that was built with the tests, or a native program.</summary>
internal sealed record GatewayProgram(string File, IReadOnlyList<string> First)
{
    private const string Variable = "LUMA_GATEWAY_PROGRAM";

    public static GatewayProgram Assembly { get; } = new(ChildProcess.Dotnet, [Path.Combine(AppContext.BaseDirectory, "LumaGateway.dll")]);

    /// <summary>The tested program: the native program in LUMA_GATEWAY_PROGRAM (an absolute path), else the assembly.</summary>
    public static GatewayProgram Tested { get; } =
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path ? Native(path) : Assembly;

    public static GatewayProgram Native(string path) => new(path, []);

    public ChildProcess Start(IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment) =>
        ChildProcess.Start(File, [.. First, .. arguments], environment);
}
