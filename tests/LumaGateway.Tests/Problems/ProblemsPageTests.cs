using System.Globalization;
using System.Text.RegularExpressions;
using LumaGateway.Problems;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Problems;

/// <summary>Compares <c>docs/problems.md</c> with the table of problems.</summary>
public sealed partial class ProblemsPageTests
{
    private static readonly string Page = Repository.Read("docs/problems.md");

    [Fact]
    public void The_page_lists_every_problem_with_its_status_in_the_order_of_the_code()
    {
        var rows = Row().Matches(Page).Select(row => (row.Groups["code"].Value, int.Parse(row.Groups["status"].Value, CultureInfo.InvariantCulture)));

        Assert.Equal(ProblemKinds.All.Select(kind => (kind.Code, kind.Status)), rows);
    }

    [Fact]
    public void The_page_lists_the_problems_that_forbid_a_retry()
    {
        var listed = Page.Split("always have `x-should-retry: false`")[1];

        Assert.Equal(ProblemKinds.All.Where(kind => kind.ForbidsRetry).Select(kind => kind.Code), Code().Matches(listed).Select(code => code.Groups[1].Value));
    }

    [Fact]
    public void The_example_is_the_problem_of_its_code()
    {
        var example = System.Text.Json.JsonDocument.Parse(Page.Split("```json")[1].Split("```")[0]).RootElement;
        var kind = ProblemKinds.GenerationNotFound;

        Assert.Equal(
            (kind.Type, kind.Title, kind.Status, kind.Detail, kind.Code),
            (Text("type"), Text("title"), example.GetProperty("status").GetInt32(), Text("detail"), Text("code")));

        string? Text(string name) => example.GetProperty(name).GetString();
    }

    [GeneratedRegex(@"^\| `(?<code>[a-z_]+)` \| (?<status>\d{3}) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`([a-z_]+)`")]
    private static partial Regex Code();
}
