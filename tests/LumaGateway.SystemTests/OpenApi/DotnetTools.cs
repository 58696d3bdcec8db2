namespace LumaGateway.SystemTests.OpenApi;

/// <summary>The generators of <c>dotnet-tools.json</c>, which are .NET tools from NuGet.</summary>
internal static class DotnetTools
{
    public static string Source { get; } = Path.Combine(Repository.Root, "tests/LumaGateway.SystemTests/OpenApi");

    /// <summary>Makes the tools available in a folder. Skips the test if they cannot be downloaded.</summary>
    public static async Task RestoreAsync(string folder)
    {
        File.Copy(Path.Combine(Source, "dotnet-tools.json"), Path.Combine(folder, "dotnet-tools.json"));
        await using var restore = ChildProcess.Start(ChildProcess.Dotnet, ["tool", "restore"], directory: folder);
        var exit = await restore.WaitForExitAsync(TimeSpan.FromMinutes(10));
        Assert.SkipUnless(exit == 0, $"Needs .NET tools that could not be installed.\n{restore.Everything}");
    }
}
