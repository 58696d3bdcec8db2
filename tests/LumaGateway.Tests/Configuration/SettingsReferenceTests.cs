using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Configuration;

/// <summary>Compares the reference of all settings with the options classes. With <c>WRITE_SETTINGS_REFERENCE=1</c> in the environment it writes the files instead.</summary>
public sealed partial class SettingsReferenceTests
{
    private static readonly bool IsWriting = Environment.GetEnvironmentVariable("WRITE_SETTINGS_REFERENCE") is "1";

    [Fact]
    public void The_page_is_the_one_that_the_options_classes_give() => AssertSame("docs/settings.md", SettingsReference.Page());

    [Fact]
    public void The_JSON_schema_is_the_one_that_the_options_classes_give() => AssertSame("appsettings.schema.json", SettingsReference.Schema());

    [Fact]
    public void Every_setting_says_what_it_does() => Assert.All(Setting.All, setting => Assert.True(setting.Summary.Length > 20, $"{setting.Key} has no summary."));

    [Fact]
    public void The_README_lists_the_settings_of_operators()
    {
        var section = Repository.Read("README.md").Split("\n## Settings\n")[1].Split("\n## ")[0];

        var listed = Row().Matches(section).Select(match => match.Groups["key"].Value);

        Assert.Equal(SettingsReference.OfOperators, listed);
    }

    [Fact]
    public void Every_key_of_a_settings_file_is_in_the_schema()
    {
        var schema = JsonNode.Parse(SettingsReference.Schema())!["properties"]!.AsObject();

        foreach (var file in new[] { "appsettings.json", "appsettings.Development.json" })
        {
            var sections = JsonNode.Parse(Repository.Read(file))!.AsObject();
            Assert.Equal("./appsettings.schema.json", sections["$schema"]?.GetValue<string>());
            Assert.All(
                sections.Where(section => schema.ContainsKey(section.Key) && section.Key is not "Logging").SelectMany(section => section.Value!.AsObject().Select(one => (section.Key, Name: one.Key))),
                one => Assert.True(schema[one.Key]!["properties"]!.AsObject().ContainsKey(one.Name), $"{one.Key}:{one.Name}"));
        }

        Assert.Equal(Setting.All.Select(setting => setting.Section).Distinct(), schema.Select(section => section.Key));
    }

    [Theory]
    [InlineData("00:05", true)]
    [InlineData("00:05:00", true)]
    [InlineData("9:59:59", true)]
    [InlineData("23:59:59.5", true)]
    [InlineData("1.00:00:00", true)]
    [InlineData("30.19:00:00", true)]
    [InlineData("24:00:00", false)]
    [InlineData("1.24:00:00", false)]
    [InlineData("00:60:00", false)]
    [InlineData("00:00:60", false)]
    [InlineData("15", false)]
    public void The_schema_accepts_the_times_that_the_gateway_reads(string value, bool isAccepted)
    {
        var pattern = JsonNode.Parse(SettingsReference.Schema())!["properties"]!["Freshness"]!["properties"]!["Completed"]!["pattern"]!.GetValue<string>();

        Assert.Equal(isAccepted, Regex.IsMatch(value, pattern));
    }

    private static void AssertSame(string file, string expected)
    {
        var path = Path.Combine(Repository.Root, file);
        if (IsWriting)
        {
            File.WriteAllText(path, expected);
        }

        Assert.True(File.Exists(path) && File.ReadAllText(path) == expected, $"{file} differs from the options classes. Run this test with WRITE_SETTINGS_REFERENCE=1, and commit the file.");
    }

    [GeneratedRegex(@"^\| `(?<key>[A-Za-z:]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
