using System.Text.RegularExpressions;
using CsCheck;
using LumaGateway.Contracts;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Contracts;

public sealed partial class GenerationIdTests
{
    private static readonly string[] Reserved = ["concepts", "camera_motion", "image", "video", "events", ".", ".."];

    [Fact]
    public void An_id_is_valid_exactly_if_it_matches_the_rule() => PropertyCases.Check(
        Gen.OneOf(
            Gen.String[Gen.Char["abcXYZ019._~-="], 0, 270],
            Gen.String[Gen.Char["aZ0_-/.~=%\u00e9 \0\n"], 0, 12],
            Gen.String,
            Gen.Int[0, 6].Select(i => Reserved[i])),
        text =>
        {
            var expected = Rule().IsMatch(text) && !Reserved.Contains(text);
            Assert.Equal(expected, GenerationId.TryParse(text, null, out var id));
            Assert.Equal(expected, GenerationId.TryParse(text.AsSpan(), null, out var same));
            Assert.Equal(expected ? text : string.Empty, id.Value);
            Assert.Equal(id, same);
        },
        50_000);

    [Theory]
    [InlineData("4665A07C-7641-4809-A133-10786201BB56", "4665a07c-7641-4809-a133-10786201bb56")]
    [InlineData("4665a07c-7641-4809-a133-10786201bb56", "4665a07c-7641-4809-a133-10786201bb56")]
    [InlineData("4665A07C764148-09A1-3310-786201BB56FF", "4665A07C764148-09A1-3310-786201BB56FF")]
    [InlineData("4665A07C-7641-4809-A133-10786201BB5G", "4665A07C-7641-4809-A133-10786201BB5G")]
    [InlineData("4665A07C764148094809A13310786201", "4665A07C764148094809A13310786201")]
    [InlineData("Task_ABCDEF", "Task_ABCDEF")]
    public void A_UUID_is_in_lower_case_and_every_other_id_unchanged(string text, string value)
    {
        Assert.Equal(value, GenerationId.Parse(text, null).Value);
        Assert.Equal(value, GenerationId.Parse(text.AsSpan(), null).Value);
        Assert.Equal(GenerationId.Parse(value, null), GenerationId.Parse(text, null));
    }

    [Theory]
    [InlineData("4665a07c-7641-4809-a133-10786201bb56", "4665A07C-7641-4809-A133-10786201BB56", true)]
    [InlineData("4665a07c-7641-4809-a133-10786201bb56", "4665a07c76414809a13310786201bb56", true)]
    [InlineData("4665a07c-7641-4809-a133-10786201bb56", "4665a07c-7641-4809-a133-10786201bb57", false)]
    [InlineData("task_a", "task_a", true)]
    [InlineData("task_a", "task_A", false)]
    [InlineData("task_a", null, false)]
    public void An_upstreams_text_matches_if_it_is_the_same_id(string id, string? text, bool matches) =>
        Assert.Equal(matches, GenerationId.Parse(id, null).Matches(text));

    [GeneratedRegex("\\A[A-Za-z0-9._~=-]{1,256}\\z")]
    private static partial Regex Rule();
}
