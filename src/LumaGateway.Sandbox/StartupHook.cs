using System.Diagnostics.CodeAnalysis;

/// <summary>
/// Runs inside the demo's gateway, before it: when the sandbox at the other end of standard input is gone, killed even, the
/// gateway ends. Name, place and signature are the runtime's (<c>DOTNET_STARTUP_HOOKS</c>).
/// </summary>
[SuppressMessage("Design", "CA1050:Declare types in namespaces", Justification = "The runtime looks for it there.")]
internal static class StartupHook
{
    public static void Initialize() => new Thread(WaitForTheEnd) { IsBackground = true, Name = "Sandbox watch" }.Start();

    private static void WaitForTheEnd()
    {
        using var sandbox = Console.OpenStandardInput();
        while (sandbox.ReadByte() >= 0)
        {
            // The sandbox never says anything; only its end counts.
        }

        Environment.Exit(0);
    }
}
