namespace LumaGateway.Tests.Shared.Processes;

/// <summary>Finds installed programs. A test that requires a missing program is skipped.</summary>
internal static class Tool
{
    public static bool IsInstalled(string name) => Find(name) is not null;

    public static void Require(string name) => Assert.SkipUnless(IsInstalled(name), $"Needs {name}, which is not installed on this machine.");

    public static string? Find(string name) => (Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
        .Split(Path.PathSeparator)
        .Select(directory => Path.Combine(directory, name))
        .FirstOrDefault(File.Exists);
}
