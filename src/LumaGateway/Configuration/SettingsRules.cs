using System.Globalization;
using Microsoft.Extensions.Options;

namespace LumaGateway.Configuration;

/// <summary>The options type of <see cref="SettingsRules"/>. Nothing is bound to it.</summary>
internal sealed class AllSettings;

/// <summary>
/// Reports all unknown keys and unreadable values in the gateway's sections. The configuration binder ignores unknown keys, and stops at the first value that it
/// cannot convert. Messages never contain a value.
/// </summary>
internal sealed class SettingsRules(IConfiguration configuration) : IValidateOptions<AllSettings>
{
    public ValidateOptionsResult Validate(string? name, AllSettings options)
    {
        var unknown = new List<string>();
        var unreadable = new List<string>();
        foreach (var section in configuration.GetChildren().Where(IsChecked))
        {
            foreach (var setting in LeavesOf(section).Where(leaf => !IsOfDotNet(leaf)))
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
            // Throws, so that no other validator runs: each would bind the same values, and the binder throws at the first one.
            throw new AggregateException(new OptionsValidationException(nameof(AllSettings), typeof(AllSettings), [.. unknown, .. unreadable]));
        }

        return unknown.Count > 0 ? ValidateOptionsResult.Fail(unknown) : ValidateOptionsResult.Success;
    }

    /// <summary>Whether the setting is in a section of .NET, and its name does not resemble that of the gateway's setting there.</summary>
    private static bool IsOfDotNet(IConfigurationSection setting) =>
        IsLogging(setting.Path) && !KnownSettings.Kinds.Keys.Where(IsLogging).Any(known => EditDistance.Between(setting.Path, known) <= 2);

    private static bool IsLogging(string path) => path.StartsWith($"{KnownSettings.Logging}:", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Environment variables of other programs can look like settings (<c>LIMA__X</c>). A section with an unknown name is checked only if the name differs in one
    /// letter from a section of the gateway and contains one of its keys.
    /// </summary>
    private static bool IsChecked(IConfigurationSection section) =>
        section.GetChildren().Any()
        && (KnownSettings.Sections.Contains(section.Key) || section.Key.Equals(KnownSettings.Logging, StringComparison.OrdinalIgnoreCase)
            || KnownSettings.Sections.Any(known => EditDistance.Between(section.Key, known) == 1 && HasKeyOf(known, section)));

    private static bool HasKeyOf(string known, IConfigurationSection section) =>
        LeavesOf(section).Any(leaf => KnownSettings.Kinds.ContainsKey(PatternOf(known + leaf.Path[section.Path.Length..])));

    /// <summary>Returns all settings below the section that have a value or no children, except empty lists.</summary>
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
            ? $"{path} is not a setting. Did you mean {nearest.Replace("#", "<n>", StringComparison.Ordinal)}?"
            : $"{path} is not a setting.";
    }

    private static bool IsReadable(string value, SettingKind kind) => kind switch
    {
        SettingKind.Boolean => bool.TryParse(value, out _),
        SettingKind.Integer => long.TryParse(value, NumberStyles.Integer, CultureInfo.InvariantCulture, out _),
        SettingKind.Number => double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out _),
        SettingKind.Duration => IsDuration(value),
        SettingKind.AssetMode => value.ToUpperInvariant() is "STREAM" or "REDIRECT",
        SettingKind.OwnershipMode => value.ToUpperInvariant() is "OFF" or "GROUP",
        SettingKind.AccessLogMode => value.ToUpperInvariant() is "NONE" or "ERRORS" or "ALL",
        _ => true,
    };

    /// <summary>Refuses <c>15</c> and <c>24:00:00</c>: .NET reads a number alone, and hours above 23, as days.</summary>
    private static bool IsDuration(string value) => TimeSpan.TryParse(value, CultureInfo.InvariantCulture, out var duration) && value.Split(':') switch
    {
        [_] => false,
        [var hours, _, _] when !hours.Contains('.', StringComparison.Ordinal) => duration < TimeSpan.FromDays(1),
        _ => true,
    };

    private static string Expected(SettingKind kind) => kind switch
    {
        SettingKind.Boolean => "true or false",
        SettingKind.Integer => "a whole number such as 20",
        SettingKind.Number => "a number such as 0.5",
        SettingKind.Duration => "a time such as 00:00:15 (hours:minutes:seconds, hours up to 23; 1.00:00:00 is a day, and a number alone would be days)",
        SettingKind.AssetMode => "Stream or Redirect",
        SettingKind.OwnershipMode => "Off or Group",
        SettingKind.AccessLogMode => "None, Errors or All",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
