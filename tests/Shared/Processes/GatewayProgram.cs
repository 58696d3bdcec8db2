namespace LumaGateway.Tests.Shared.Processes;

/// <summary>What a gateway is started from: the assembly that was built with these tests, or a native program with its settings beside it.</summary>
internal sealed record GatewayProgram(string File, IReadOnlyList<string> First)
{
    private const string Variable = "LUMA_GATEWAY_PROGRAM";

    public static GatewayProgram Assembly { get; } = new(ChildProcess.Dotnet, [Path.Combine(AppContext.BaseDirectory, "LumaGateway.dll")]);

    /// <summary>What is tested: the native program that the environment names by its whole path, else the assembly.</summary>
    public static GatewayProgram Tested { get; } =
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path ? Native(path) : Assembly;

    public static GatewayProgram Native(string path) => new(path, []);

    public ChildProcess Start(IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment) =>
        ChildProcess.Start(File, [.. First, .. arguments], environment);
}
