using System.Text.Json;
using CsCheck;
using LumaGateway.Contracts;
using LumaGateway.Tests.Support;
using LumaGateway.Upstreams;

namespace LumaGateway.Tests.Upstreams.Dialects;

/// <summary>What holds for every dialect and whatever JSON. CsCheck prints the seed and the body of a counterexample.</summary>
public sealed class DialectProperties
{
    private static readonly int Bodies = PropertyCases.Of(25_000, atLeast: 2500);

    [Fact]
    public void No_json_makes_a_reader_throw_anything_but_an_upstream_exception()
    {
        var read = Sample(_ => true);

        // Neither is everything refused, nor does nothing ever go wrong.
        Assert.InRange(read, Bodies * 3 / 10, Bodies * 9 / 10);
    }

    [Fact]
    public void No_state_but_the_four_ever_comes_out_and_an_unknown_one_is_processing()
    {
        var unknown = 0;

        Sample(answer =>
        {
            Assert.True(Enum.IsDefined(answer.Generation.State));
            if (!answer.IsKnownState)
            {
                Interlocked.Increment(ref unknown);
                Assert.Equal(GenerationState.Processing, answer.Generation.State);
            }

            return true;
        });

        Assert.InRange(unknown, Bodies / 100, Bodies / 2);
    }

    [Fact]
    public void No_link_but_an_absolute_web_link_without_a_user_ever_comes_out()
    {
        var links = 0;

        Sample(answer =>
        {
            foreach (var link in LinksOf(answer.Generation))
            {
                Interlocked.Increment(ref links);
                Assert.Matches(@"^(?i:https?)://[!$&'()*+,;=%._~:\[\]a-zA-Z0-9-]+([/?#][!$&'()*+,;=%._~:/?#@\[\]a-zA-Z0-9-]*)?\z", link);
            }

            return true;
        });

        Assert.InRange(links, Bodies / 4, int.MaxValue);
    }

    [Fact]
    public void A_failure_comes_out_exactly_when_the_state_is_failed()
    {
        var failed = Sample(answer =>
        {
            Assert.Equal(answer.Generation.State is GenerationState.Failed, answer.Generation.Failure is not null);
            return answer.Generation.Failure is not null;
        });

        Assert.InRange(failed, Bodies / 25, Bodies / 2);
    }

    [Fact]
    public void Whatever_comes_out_is_written_whole_and_reads_back_the_same()
    {
        var read = Sample(answer =>
        {
            var written = JsonSerializer.SerializeToUtf8Bytes(answer.Generation, ContractsJson.Web.Generation);

            Assert.Equal(written, JsonSerializer.SerializeToUtf8Bytes(JsonSerializer.Deserialize(written, ContractsJson.Web.Generation)!, ContractsJson.Web.Generation));
            return true;
        });

        Assert.InRange(read, Bodies * 3 / 10, Bodies);
    }

    [Fact]
    public void No_measure_that_a_file_cannot_have_and_no_time_outside_the_calendar_ever_comes_out()
    {
        var measured = Sample(answer =>
        {
            var (generation, video) = (answer.Generation, answer.Generation.Video);
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

    // How many bodies were read and counted by the property.
    private static int Sample(Func<DialectResult, bool> property)
    {
        var counted = 0;
        DriftedBody.Any.Sample(
            body =>
            {
                if (body.Read() is { } answer && property(answer))
                {
                    Interlocked.Increment(ref counted);
                }
            },
            iter: Bodies);
        return counted;
    }

    private static IEnumerable<string> LinksOf(Generation generation) =>
        generation.Outputs.Select(output => output.Url)
            .Concat(new[] { generation.Video?.Url, generation.Image?.Url, generation.Thumbnail?.Url, generation.LastFrame?.Url }.OfType<string>());
}
