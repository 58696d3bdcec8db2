using System.Text.RegularExpressions;

namespace LumaGateway.SystemTests.Infra;

/// <summary>
/// A Redis that evicts forgets an Idempotency-Key, and its create is sent and paid twice. So every page, manifest and compose file must say the same:
/// the Redis that keeps the keys has <c>noeviction</c>, and one that evicts keeps none.
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
    public void Whoever_names_a_policy_that_evicts_says_in_the_same_place_that_the_ledger_needs_noeviction()
    {
        var evicting = 0;
        foreach (var page in Pages)
        {
            foreach (var paragraph in File.ReadAllText(page).Split("\n\n").Where(text => Evicting().IsMatch(text)))
            {
                evicting++;
                Assert.True(
                    paragraph.Contains("noeviction", StringComparison.Ordinal) && paragraph.Contains("ledger", StringComparison.OrdinalIgnoreCase),
                    $"{page} names a policy that evicts and not what the ledger needs:\n{paragraph}");
            }
        }

        Assert.True(evicting > 0, "No page names a policy: the test reads nothing.");
    }

    [Theory]
    [InlineData("docs/passthrough.md")]
    [InlineData("docs/operations.md")]
    [InlineData("infra/redis.md")]
    [InlineData("infra/RUNBOOK.md")]
    [InlineData("infra/kubernetes/README.md")]
    [InlineData("infra/compose.yaml")]
    public void Whoever_tells_how_to_run_a_redis_names_the_ledger_and_its_policy(string page)
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, page));

        Assert.Matches("ConnectionStrings(:|__)Ledger", text);
        Assert.Contains("noeviction", text, StringComparison.Ordinal);
    }

    /// <summary>The demo has both kinds, each gateway uses the right one for its keys, and what it keeps survives a restart.</summary>
    [Fact]
    public void The_demo_keeps_its_keys_in_a_redis_that_evicts_nothing()
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
