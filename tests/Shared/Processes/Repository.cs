namespace LumaGateway.Tests.Shared.Processes;

/// <summary>The repository that the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(new DirectoryInfo(AppContext.BaseDirectory));

    private static string Find(DirectoryInfo? directory) => directory switch
    {
        null => throw new InvalidOperationException("No parent folder contains LumaGateway.sln: run the tests inside the repository."),
        _ when File.Exists(Path.Combine(directory.FullName, "LumaGateway.sln")) => directory.FullName,
        _ => Find(directory.Parent),
    };
}
