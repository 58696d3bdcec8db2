using LumaGateway.Contracts;
using LumaGateway.Generations;

namespace LumaGateway.Tests.Generations;

public sealed class GenerationFreshnessTests
{
    private static readonly DateTimeOffset Now = new(2026, 4, 8, 12, 0, 0, TimeSpan.Zero);

    public static TheoryData<string, Generation, bool, TimeSpan, bool> Rules
    {
        get
        {
            var video = new VideoAsset("https://cdn.test/v.mp4", null, null, null);
            var completed = Of(GenerationState.Completed) with { Video = video };

            return new TheoryData<string, Generation, bool, TimeSpan, bool>
            {
                { "completed, unsigned", completed, false, TimeSpan.FromHours(24), true },
                { "completed, an image", Of(GenerationState.Completed) with { Image = new ImageAsset("https://cdn.test/i.png", null, null) }, false, TimeSpan.FromHours(24), true },
                { "completed, signed for an hour", completed with { ExpiresAt = Now.AddHours(1) }, true, TimeSpan.FromMinutes(50), true },
                { "completed, signed for a week", completed with { ExpiresAt = Now.AddDays(7) }, false, TimeSpan.FromHours(24), true },
                { "completed, signature within the margin", completed with { ExpiresAt = Now.AddMinutes(10) }, true, TimeSpan.FromSeconds(1.5), true },
                { "completed, signature expired a day ago", completed with { ExpiresAt = Now.AddDays(-1) }, true, TimeSpan.FromSeconds(1.5), true },
                { "completed, signed unreadably", completed, true, TimeSpan.FromMinutes(10), true },
                { "completed, a signature without expiry", completed with { Outputs = [Output("https://cdn.test/v.mp4?sig=00")] }, false, TimeSpan.FromMinutes(10), true },
                { "completed, one signature with expiry and one without",
                    completed with { Outputs = [Output("https://cdn.test/v.mp4?se=2026-01-01"), Output("https://cdn.test/t.jpg?sig=00")], ExpiresAt = Now.AddHours(1) }, false, TimeSpan.FromMinutes(10), true },
                { "completed, only an output of another type", Of(GenerationState.Completed) with { Outputs = [Output("https://cdn.test/a.exr")] }, false, TimeSpan.FromHours(24), true },
                { "completed, no link", Of(GenerationState.Completed), false, TimeSpan.FromSeconds(1.5), false },
                { "completed, only a thumbnail", Of(GenerationState.Completed) with { Thumbnail = new ImageAsset("https://cdn.test/t.jpg", null, null) }, false, TimeSpan.FromSeconds(1.5), false },
                { "failed", Of(GenerationState.Failed), true, TimeSpan.FromHours(1), true },
                { "queued", Of(GenerationState.Queued), true, TimeSpan.FromSeconds(1.5), false },
                { "processing", Of(GenerationState.Processing) with { Video = video }, false, TimeSpan.FromSeconds(1.5), false },
            };
        }
    }

    [Theory]
    [MemberData(nameof(Rules), DisableDiscoveryEnumeration = true)]
    public void A_generation_is_fresh_as_long_as_its_rule_says(string rule, Generation generation, bool signsUrls, TimeSpan freshFor, bool isFinal)
    {
        var freshness = GenerationFreshness.Of(generation, signsUrls, Now, 0.5, new FreshnessOptions());

        Assert.True(new Freshness(freshFor, isFinal) == freshness, $"{rule}: {freshness}");
    }

    [Theory]
    [InlineData(0.0, 1.0)]
    [InlineData(1.0, 2.0)]
    public void The_freshness_of_an_interim_generation_is_between_the_two_limits(double draw, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), GenerationFreshness.Of(Of(GenerationState.Queued), false, Now, draw, new FreshnessOptions()).For);

    private static GenerationOutput Output(string url) => new("exr", url, null, null, null, null, null);

    private static Generation Of(GenerationState state) => new("g1", state, null, null, null, null, null, null, null, null, [], null, null);
}
