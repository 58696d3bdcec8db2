extern alias client;

using System.Net;
using System.Text.RegularExpressions;
using client::LumaGateway.Client;
using LumaGateway.Tests.Assets;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace LumaGateway.Tests.TypedClient;

/// <summary>The samples in the README of the client are the code that these tests run against the gateway, in one process.</summary>
public sealed partial class ReadmeTests
{
    [Fact]
    public void The_readme_has_exactly_the_samples_that_are_run()
    {
        var blocks = Block().Matches(Repository.Read("src/LumaGateway.Client/README.md")).Select(match => match.Groups["code"].Value);
        var regions = Region().Matches(Repository.Read("tests/LumaGateway.Tests/TypedClient/ReadmeSamples.cs"))
            .Select(match => Indent().Replace(match.Groups["code"].Value, ""));

        Assert.Equal(regions, blocks);
        Assert.Equal(5, regions.Count());
    }

    [Fact]
    public void The_sample_that_registers_the_client_is_a_valid_registration()
    {
        var services = new ServiceCollection();

        ReadmeSamples.Register(services);

        using var provider = services.AddLogging().BuildServiceProvider();
        provider.GetRequiredService<IStartupValidator>().Validate();
        Assert.Same(provider.GetRequiredService<LumaGatewayClient>(), provider.GetRequiredService<LumaGatewayClient>());
    }

    [Fact]
    public async Task The_sample_that_waits_downloads_the_video()
    {
        await using var cdn = await Cdn.StartAsync();
        using var gateway = AssetGateway.For(cdn);
        gateway.Upstream.AlwaysJson(AssetGateway.Completed(cdn.Link()));
        using var tested = TestedClient.Of(gateway);
        var path = Path.GetTempFileName();
        try
        {
            await ReadmeSamples.WaitAndDownloadAsync(tested.Client, "g1", path, TestContext.Current.CancellationToken);

            Assert.Equal(Cdn.File, await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task The_sample_that_follows_logs_the_states_or_the_problem()
    {
        using var gateway = new Gateway();
        gateway.Upstream.ThenJson(Samples.CompletedAs("g1")).AlwaysJson("{}", HttpStatusCode.NotFound);
        using var tested = TestedClient.Of(gateway);
        var log = new List<string>();

        await ReadmeSamples.FollowAsync(tested.Client, "g1", log, TestContext.Current.CancellationToken);
        await ReadmeSamples.FollowAsync(tested.Client, "g2", log, TestContext.Current.CancellationToken);

        Assert.Equal("g1 is Completed", log[0]);
        Assert.StartsWith("generation_not_found, retry after , request ", log[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_sample_that_creates_gets_one_generation_for_one_key_and_logs_the_key_after_a_fault()
    {
        using var gateway = new Gateway();
        gateway.With("Luma:Dialect", "dream-machine").Upstream.ThenJson("""{"id":"g1","state":"queued"}""", HttpStatusCode.Created);
        using var tested = TestedClient.Of(gateway);
        using var unreachable = new TestedClient(new ScriptedUpstream().Always((_, _) => throw new HttpRequestException("refused")), gateway.Clock, options => options.CreateRetryFor = TimeSpan.Zero);
        var log = new List<string>();

        var created = await ReadmeSamples.CreateAsync(tested.Client, 1, log, TestContext.Current.CancellationToken);
        var repeated = await ReadmeSamples.CreateAsync(tested.Client, 1, log, TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<LumaGatewayException>(() => ReadmeSamples.CreateAsync(unreachable.Client, 2, log, TestContext.Current.CancellationToken));

        Assert.Equal(("g1", "g1", 1), (created.Id, repeated.Id, gateway.Upstream.RequestCount));
        Assert.Equal(["gateway_unreachable: repeat later with the key order-2"], log);
    }

    [Fact]
    public async Task The_sample_that_lists_logs_the_failed_creates()
    {
        using var gateway = new Gateway();
        gateway.With("Luma:Dialect", "dream-machine").With("Luma:Name", "main").Upstream
            .ThenJson("""{"id":"g1","state":"failed"}""", HttpStatusCode.Created).ThenJson("""{"id":"g2","state":"queued"}""", HttpStatusCode.Created);
        using var tested = TestedClient.Of(gateway);
        var log = new List<string>();
        await ReadmeSamples.CreateAsync(tested.Client, 1, log, TestContext.Current.CancellationToken);
        await ReadmeSamples.CreateAsync(tested.Client, 2, log, TestContext.Current.CancellationToken);

        await ReadmeSamples.ListAsync(tested.Client, gateway.Clock.GetUtcNow().AddMinutes(-1), log, TestContext.Current.CancellationToken);
        await ReadmeSamples.ListAsync(tested.Client, gateway.Clock.GetUtcNow().AddMinutes(1), log, TestContext.Current.CancellationToken);

        Assert.Equal(["g1 failed on main"], log);
    }

    [GeneratedRegex(@"^```csharp\n(?<code>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"^ *#region \w+\n(?<code>.*?)^ *#endregion", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Region();

    [GeneratedRegex(@"^ {8}", RegexOptions.Multiline)]
    private static partial Regex Indent();
}
