using System.Text.RegularExpressions;

namespace LumaGateway.SystemTests.Infra;

/// <summary>
/// If Redis evicts an idempotency record, a create can be sent and billed twice. So every page, manifest and compose file must state that the ledger's Redis needs
/// <c>noeviction</c>.
/// </summary>
public sealed partial class EvictionTests
{
    private static readonly string[] Folders = ["docs", "infra"];

    private static readonly string[] Pages =
    [
        .. Folders.SelectMany(folder => Directory.GetFiles(Path.Combine(Repository.Root, folder), "*", SearchOption.AllDirectories))
            .Append(Path.Combine(Repository.Root, "README.md"))
            .Where(file => Path.GetExtension(file) is ".md" or ".yaml" or ".yml" or ".conf"),
    ];

    [Fact]
    public void A_paragraph_with_an_evicting_policy_states_that_the_ledger_needs_noeviction()
    {
        var evicting = 0;
        foreach (var page in Pages)
        {
            foreach (var paragraph in File.ReadAllText(page).Split("\n\n").Where(text => Evicting().IsMatch(text)))
            {
                evicting++;
                Assert.True(
                    paragraph.Contains("noeviction", StringComparison.Ordinal) && paragraph.Contains("ledger", StringComparison.OrdinalIgnoreCase),
                    $"{page} has an evicting policy without the policy of the ledger:\n{paragraph}");
            }
        }

        Assert.True(evicting > 0, "No page has an evicting policy, so the test checks nothing.");
    }

    [Theory]
    [InlineData("docs/passthrough.md")]
    [InlineData("docs/operations.md")]
    [InlineData("infra/redis.md")]
    [InlineData("infra/RUNBOOK.md")]
    [InlineData("infra/kubernetes/README.md")]
    [InlineData("infra/compose.yaml")]
    public void A_page_about_running_Redis_describes_the_ledger_and_its_policy(string page)
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, page));

        Assert.Matches("ConnectionStrings(:|__)Ledger", text);
        Assert.Contains("noeviction", text, StringComparison.Ordinal);
    }

    /// <summary>The ledger of the demo does not evict, and has persistence.</summary>
    [Fact]
    public void The_demo_stores_idempotency_records_in_a_Redis_without_eviction()
    {
        var compose = File.ReadAllText(Path.Combine(Repository.Root, "infra", "compose.yaml"));
        var ledger = LedgerServer().Match(compose).Groups["server"].Value;

        Assert.NotEqual("", ledger);
        var command = Assert.Single(File.ReadLines(Path.Combine(Repository.Root, "infra", "compose.yaml")).SkipWhile(line => line != $"  {ledger}:").Take(5), line => line.Contains("command:", StringComparison.Ordinal));
        Assert.Contains("noeviction", command, StringComparison.Ordinal);
        Assert.Contains("--appendonly, \"yes\"", command, StringComparison.Ordinal);
    }

    [GeneratedRegex("(allkeys|volatile)-(lru|lfu|random|ttl)")]
    private static partial Regex Evicting();

    [GeneratedRegex("ConnectionStrings__Ledger: (?<server>[a-z]+):")]
    private static partial Regex LedgerServer();
}
