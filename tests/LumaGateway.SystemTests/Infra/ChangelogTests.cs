namespace LumaGateway.SystemTests.Infra;

/// <summary>The script that gives a release its notes. Needs bash and awk.</summary>
public sealed class ChangelogTests
{
    private static readonly string Script = Path.Combine(Repository.Root, ".ci/changelog");

    [Fact]
    public async Task The_notes_of_a_version_are_its_section()
    {
        Tool.Require("bash");
        Tool.Require("awk");
        await using var process = ChildProcess.Start("bash", [Script, "Unreleased"]);

        Assert.Equal(0, await process.WaitForExitAsync());
        Assert.Contains("### Added", process.Output);
        Assert.DoesNotContain(process.Output, line => line.StartsWith("## ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("9.9.9")]
    [InlineData("")]
    public async Task A_version_without_a_section_fails(string version)
    {
        Tool.Require("bash");
        Tool.Require("awk");
        await using var process = ChildProcess.Start("bash", [Script, version]);

        Assert.NotEqual(0, await process.WaitForExitAsync());
    }
}
