using System.Globalization;
using Microsoft.Extensions.Options;

namespace LumaGateway.Configuration;

/// <summary>Stands for all settings as they were given. Nothing is bound to it.</summary>
internal sealed class GivenSettings;

/// <summary>
/// Whether every setting of the gateway's own sections exists and can be read. The binder passes unknown keys over, and stops at the first value that it cannot
/// convert. Also refuses a section whose name differs in one letter from one of ours and that has a key of ours. Never repeats a value.
/// </summary>
internal sealed class SettingsRules(IConfiguration configuration) : IValidateOptions<GivenSettings>
{
    public ValidateOptionsResult Validate(string? name, GivenSettings options)
    {
        var unknown = new List<string>();
        var unreadable = new List<string>();
        foreach (var section in configuration.GetChildren().Where(IsJudged))
        {
            foreach (var setting in LeavesOf(section))
            {
                if (!KnownSettings.Kinds.TryGetValue(PatternOf(setting.Path), out var kind))
                {
                    unknown.Add(Unknown(setting.Path));
                }
                else if (setting.Value is { Length: > 0 } value && !IsReadable(value, kind))
                {
                    unreadable.Add($"{setting.Path} must be {Expected(kind)}.");
                }
            }
        }

        if (unreadable.Count > 0)
        {
            // Not a failure like others: whatever is checked after this would meet the same values in the binder, which throws at the first one.
            throw new AggregateException(new OptionsValidationException(nameof(GivenSettings), typeof(GivenSettings), [.. unknown, .. unreadable]));
        }

        return unknown.Count > 0 ? ValidateOptionsResult.Fail(unknown) : ValidateOptionsResult.Success;
    }

    /// <summary>
    /// The environment holds names of other programs, which may look like ours (<c>LIMA__X</c>): a section with another name than ours is judged only if it is one
    /// letter away and has one of our keys.
    /// </summary>
    private static bool IsJudged(IConfigurationSection section) =>
        section.GetChildren().Any()
        && (KnownSettings.Sections.Contains(section.Key)
            || KnownSettings.Sections.Any(ours => EditDistance.Between(section.Key, ours) == 1 && HasKeyOf(ours, section)));

    private static bool HasKeyOf(string ours, IConfigurationSection section) =>
        LeavesOf(section).Any(leaf => KnownSettings.Kinds.ContainsKey(PatternOf(ours + leaf.Path[section.Path.Length..])));

    /// <summary>Whatever holds a value or has nothing below it, the section itself left out. An empty list is nothing.</summary>
    private static IEnumerable<IConfigurationSection> LeavesOf(IConfigurationSection section)
    {
        var hasChildren = false;
        foreach (var child in section.GetChildren())
        {
            hasChildren = true;
            foreach (var leaf in LeavesOf(child))
            {
                yield return leaf;
            }
        }

        var isBlank = string.IsNullOrEmpty(section.Value);
        var isList = KnownSettings.Kinds.ContainsKey(PatternOf(section.Path) + ":#");
        if (hasChildren ? !isBlank && section.Path != section.Key : !(isBlank && isList))
        {
            yield return section;
        }
    }

    private static string PatternOf(string path) =>
        string.Join(':', path.Split(':').Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? "#" : part));

    private static string Unknown(string path)
    {
        var pattern = PatternOf(path);
        if (KnownSettings.Kinds.ContainsKey(pattern + ":#"))
        {
            return $"{path} is a list: set {path}:0, {path}:1 and so on.";
        }

        var nearest = KnownSettings.Kinds.Keys.MinBy(known => EditDistance.Between(pattern, known))!;
        return EditDistance.Between(pattern, nearest) <= Math.Max(3, pattern.Length / 3)
            ? $"{path} is no setting. Did you mean {nearest.Replace("#", "<n>", StringComparison.Ordinal)}?"
            : $"{path} is no setting.";
    }

    private static bool IsReadable(string value, SettingKind kind) => kind switch
    {
        SettingKind.Flag => bool.TryParse(value, out _),
        SettingKind.Whole => long.TryParse(value, NumberStyles.Integer, CultureInfo.InvariantCulture, out _),
        SettingKind.Number => double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out _),
        SettingKind.Time => value.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(value, CultureInfo.InvariantCulture, out _),
        SettingKind.AssetMode => value.ToUpperInvariant() is "STREAM" or "REDIRECT",
        _ => true,
    };

    private static string Expected(SettingKind kind) => kind switch
    {
        SettingKind.Flag => "true or false",
        SettingKind.Whole => "a whole number such as 20",
        SettingKind.Number => "a number such as 0.5",
        SettingKind.Time => "a time such as 00:00:15 (hours:minutes:seconds; 1.00:00:00 is a day, and a number alone would be days)",
        SettingKind.AssetMode => "Stream or Redirect",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
