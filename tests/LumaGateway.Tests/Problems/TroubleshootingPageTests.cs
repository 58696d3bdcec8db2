using LumaGateway.Problems;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Problems;

/// <summary>Compares <c>docs/troubleshooting.md</c> with the table of problems.</summary>
public sealed class TroubleshootingPageTests
{
    [Fact]
    public void The_page_explains_every_code_that_an_operator_or_an_upstream_causes()
    {
        var page = Repository.Read("docs/troubleshooting.md");

        var codes = ProblemKinds.All.Where(kind => kind.Status is 401 or 403 or 429 or 502 or 503 or 504).Select(kind => kind.Code).ToList();

        Assert.True(codes.Count > 15, $"Only {codes.Count} codes were found.");
        Assert.All(codes, code => Assert.Contains($"`{code}`", page, StringComparison.Ordinal));
    }
}
