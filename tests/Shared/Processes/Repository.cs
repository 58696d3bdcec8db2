namespace LumaGateway.Tests.Shared.Processes;

/// <summary>Where these tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(new DirectoryInfo(AppContext.BaseDirectory));

    private static string Find(DirectoryInfo? directory) => directory switch
    {
        null => throw new InvalidOperationException("These tests run from within the repository: its LumaGateway.sln is not above them."),
        _ when File.Exists(Path.Combine(directory.FullName, "LumaGateway.sln")) => directory.FullName,
        _ => Find(directory.Parent),
    };
}
