using System.Diagnostics.CodeAnalysis;

/// <summary>
/// Runs inside the demo's gateway before its own code. It ends the gateway when its standard input closes, so the gateway ends
/// even if the sandbox is killed. The runtime defines name, place and signature (<c>DOTNET_STARTUP_HOOKS</c>).
/// </summary>
[SuppressMessage("Design", "CA1050:Declare types in namespaces", Justification = "The runtime looks for it there.")]
internal static class StartupHook
{
    public static void Initialize() => new Thread(ExitWithSandbox) { IsBackground = true, Name = "Sandbox watch" }.Start();

    private static void ExitWithSandbox()
    {
        using var sandbox = Console.OpenStandardInput();
        while (sandbox.ReadByte() >= 0)
        {
            // The sandbox writes nothing; only the end of the input counts.
        }

        Environment.Exit(0);
    }
}
