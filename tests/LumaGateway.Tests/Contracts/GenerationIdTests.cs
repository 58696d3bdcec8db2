using System.Text.RegularExpressions;
using CsCheck;
using LumaGateway.Contracts;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Contracts;

public sealed partial class GenerationIdTests
{
    private static readonly string[] Reserved = ["concepts", "camera_motion", "image", "video", "events"];

    [Fact]
    public void An_id_is_valid_exactly_if_it_matches_the_rule() =>
        Gen.OneOf(
                Gen.String[Gen.Char["abcXYZ019_-"], 0, 140],
                Gen.String[Gen.Char["aZ0_-/.%\u00e9 \0\n"], 0, 12],
                Gen.String,
                Gen.Int[0, 4].Select(i => Reserved[i]))
            .Sample(
                text =>
                {
                    var expected = Rule().IsMatch(text) && !Reserved.Contains(text);
                    Assert.Equal(expected, GenerationId.TryParse(text, null, out var id));
                    Assert.Equal(expected, GenerationId.TryParse(text.AsSpan(), null, out var same));
                    Assert.Equal(expected ? text : string.Empty, id.Value);
                    Assert.Equal(id, same);
                },
                iter: PropertyCases.Of(50_000));

    [GeneratedRegex("\\A[A-Za-z0-9_-]{1,128}\\z")]
    private static partial Regex Rule();
}
