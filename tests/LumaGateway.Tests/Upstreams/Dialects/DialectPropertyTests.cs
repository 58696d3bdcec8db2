using System.Text.Json;
using CsCheck;
using LumaGateway.Contracts;
using LumaGateway.Tests.Support;
using LumaGateway.Upstreams;

namespace LumaGateway.Tests.Upstreams.Dialects;

/// <summary>Properties of every dialect for any JSON. CsCheck prints the seed and the body of a counterexample. Needs nothing.</summary>
public sealed class DialectPropertyTests
{
    private const int AllBodies = 25_000;
    private const int MinBodies = 2500;

    private static readonly int Bodies = PropertyCases.Of(AllBodies, MinBodies);

    [Fact]
    public void Reading_any_JSON_throws_only_an_upstream_exception()
    {
        var read = Sample(_ => true);

        // The generated bodies include both readable and rejected ones.
        Assert.InRange(read, Bodies * 3 / 10, Bodies * 9 / 10);
    }

    [Fact]
    public void Every_state_is_one_of_the_four_and_an_unknown_state_is_processing()
    {
        var unknown = 0;

        Sample(result =>
        {
            Assert.True(Enum.IsDefined(result.Generation.State));
            if (!result.IsKnownState)
            {
                Interlocked.Increment(ref unknown);
                Assert.Equal(GenerationState.Processing, result.Generation.State);
            }

            return true;
        });

        Assert.InRange(unknown, Bodies / 100, Bodies / 2);
    }

    [Fact]
    public void Every_link_is_an_absolute_http_link_without_user_information()
    {
        var links = 0;

        Sample(result =>
        {
            foreach (var link in LinksOf(result.Generation))
            {
                Interlocked.Increment(ref links);
                Assert.Matches(@"^(?i:https?)://[!$&'()*+,;=%._~:\[\]a-zA-Z0-9-]+([/?#][!$&'()*+,;=%._~:/?#@\[\]a-zA-Z0-9-]*)?\z", link);
            }

            return true;
        });

        Assert.InRange(links, Bodies / 4, int.MaxValue);
    }

    [Fact]
    public void A_generation_has_a_failure_if_and_only_if_its_state_is_failed()
    {
        var failed = Sample(result =>
        {
            Assert.Equal(result.Generation.State is GenerationState.Failed, result.Generation.Failure is not null);
            return result.Generation.Failure is not null;
        });

        Assert.InRange(failed, Bodies / 25, Bodies / 2);
    }

    [Fact]
    public void Every_generation_is_unchanged_after_writing_and_reading()
    {
        var read = Sample(result =>
        {
            var written = JsonSerializer.SerializeToUtf8Bytes(result.Generation, ContractsJson.Web.Generation);

            Assert.Equal(written, JsonSerializer.SerializeToUtf8Bytes(JsonSerializer.Deserialize(written, ContractsJson.Web.Generation)!, ContractsJson.Web.Generation));
            return true;
        });

        Assert.InRange(read, Bodies * 3 / 10, Bodies);
    }

    [Fact]
    public void Every_size_duration_and_time_is_in_its_valid_range()
    {
        var measured = Sample(result =>
        {
            var (generation, video) = (result.Generation, result.Generation.Video);
            int?[] pixels =
            [
                video?.Width, video?.Height, generation.Image?.Width, generation.Image?.Height,
                generation.Thumbnail?.Width, generation.Thumbnail?.Height, generation.LastFrame?.Width, generation.LastFrame?.Height,
                .. generation.Outputs.SelectMany(output => new[] { output.Width, output.Height }),
            ];

            Assert.All(pixels, value => Assert.True(value is null or > 0));
            Assert.True(video?.Duration is not { } duration || (double.IsFinite(duration) && !double.IsNegative(duration)));
            Assert.True(generation.CreatedAt is not { } created || (created.Year > 1 && created.Offset == TimeSpan.Zero));
            Assert.True(generation.ExpiresAt is not { } expires || (expires.Offset == TimeSpan.Zero && LinksOf(generation).Any()));
            return pixels.Any(value => value is not null);
        });

        Assert.InRange(measured, Bodies / 10, Bodies);
    }

    // Returns the number of bodies that were read and for which the property is true.
    private static int Sample(Func<DialectResult, bool> property)
    {
        var counted = 0;
        PropertyCases.Check(
            DriftedBody.Any,
            body =>
            {
                if (body.Read() is { } result && property(result))
                {
                    Interlocked.Increment(ref counted);
                }
            },
            AllBodies,
            MinBodies);
        return counted;
    }

    private static IEnumerable<string> LinksOf(Generation generation) =>
        generation.Outputs.Select(output => output.Url)
            .Concat(new[] { generation.Video?.Url, generation.Image?.Url, generation.Thumbnail?.Url, generation.LastFrame?.Url }.OfType<string>());
}
