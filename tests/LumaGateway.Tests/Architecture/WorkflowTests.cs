using System.Text.RegularExpressions;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Architecture;

/// <summary>Rules for the workflows of GitHub Actions, the images, and the versions that a release compares. Reads files only.</summary>
public sealed partial class WorkflowTests
{
    public static TheoryData<string> Workflows => [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, ".github/workflows"), "*.yml").Select(file => Path.GetFileName(file)!)];

    [Theory]
    [MemberData(nameof(Workflows))]
    public void Every_action_is_pinned_by_its_commit_and_every_job_has_a_time_limit_and_few_rights(string workflow)
    {
        var text = Repository.Read($".github/workflows/{workflow}");
        var jobs = Job().Split(text[text.IndexOf("\njobs:\n", StringComparison.Ordinal)..])[1..];

        Assert.Contains("\npermissions: {}\n", text, StringComparison.Ordinal);
        Assert.All(Uses().Matches(text), match => Assert.Matches(@"^(\./\.github/workflows/\w+\.yml|[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$", match.Groups["action"].Value));
        Assert.NotEmpty(jobs);
        Assert.All(jobs, job => Assert.True(job.Contains("timeout-minutes:", StringComparison.Ordinal) || job.Contains("    uses: ./", StringComparison.Ordinal), job));
    }

    [Fact]
    public void The_sources_the_chart_and_the_overlays_have_the_same_version()
    {
        var version = Version().Match(Repository.Read("Directory.Build.props")).Groups["version"].Value;

        Assert.NotEqual("", version);
        Assert.Contains($"\nappVersion: {version}\n", Repository.Read("infra/helm/luma-gateway/Chart.yaml"), StringComparison.Ordinal);
        Assert.All(["production", "staging"], overlay => Assert.Contains($"newTag: {version}\n", Repository.Read($"infra/kubernetes/overlays/{overlay}/kustomization.yaml"), StringComparison.Ordinal));
    }

    [Fact]
    public void Every_image_of_the_demo_is_pinned_by_version_and_digest()
    {
        var images = Image().Matches(Repository.Read("infra/compose.yaml")).Select(match => match.Groups["image"].Value).ToList();

        Assert.NotEmpty(images);
        Assert.All(images, image => Assert.Matches(@"^[\w./-]+:v?\d+\.\d+\.\d+[\w-]*@sha256:[0-9a-f]{64}$", image));
    }

    [GeneratedRegex(@"uses: (?<action>.+)$", RegexOptions.Multiline)]
    private static partial Regex Uses();

    [GeneratedRegex(@"^  [a-z]+:$", RegexOptions.Multiline)]
    private static partial Regex Job();

    [GeneratedRegex(@"^ +image: (?<image>\S+)", RegexOptions.Multiline)]
    private static partial Regex Image();

    [GeneratedRegex("<Version>(?<version>.+)</Version>")]
    private static partial Regex Version();
}
