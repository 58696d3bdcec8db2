namespace LumaGateway.SystemTests.OpenApi;

/// <summary>The generators of <c>dotnet-tools.json</c>, which are .NET tools from NuGet.</summary>
internal static class DotnetTools
{
    public static string Source { get; } = Path.Combine(Repository.Root, "tests/LumaGateway.SystemTests/OpenApi");

    /// <summary>Makes the tools available in a folder, and the packages of the project in it. Skips the test if they cannot be downloaded.</summary>
    public static async Task RestoreAsync(string folder)
    {
        File.Copy(Path.Combine(Source, "dotnet-tools.json"), Path.Combine(folder, "dotnet-tools.json"));
        await RunAsync(["tool", "restore"], folder);
        await RunAsync(["restore", "--locked-mode", "-nodeReuse:false"], folder);
    }

    private static async Task RunAsync(string[] arguments, string folder)
    {
        await using var restore = ChildProcess.Start(ChildProcess.Dotnet, arguments, directory: folder);
        var exit = await restore.WaitForExitAsync(TimeSpan.FromMinutes(10));
        Assert.SkipUnless(exit == 0, $"Needs packages that NuGet could not install.\n{restore.Everything}");
    }
}
