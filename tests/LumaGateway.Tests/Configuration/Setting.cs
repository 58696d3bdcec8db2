using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using LumaGateway.Configuration;
using LumaGateway.Contracts;

namespace LumaGateway.Tests.Configuration;

/// <summary>One setting, read from its options class: the attributes, the default, and the summary that the compiler writes to the documentation file.</summary>
internal sealed partial record Setting(string Key, SettingKind Kind, object? Default, object? Minimum, object? Maximum, string Summary)
{
    private static readonly Dictionary<string, XElement> Summaries = XDocument.Load("LumaGateway.xml", LoadOptions.PreserveWhitespace).Descendants("member")
        .Where(member => member.Attribute("name")!.Value.StartsWith("P:", StringComparison.Ordinal))
        .ToDictionary(member => member.Attribute("name")!.Value, StringComparer.Ordinal);

    private static readonly Dictionary<string, string> KeysByMember = [];

    /// <summary>All settings, by key.</summary>
    public static IReadOnlyList<Setting> All { get; } = Read();

    /// <summary>The key as a page shows it.</summary>
    public string Name
    {
        get
        {
            var parts = Key.Split('#');
            return parts is [var first, var second, var third] ? $"{first}<n>{second}<m>{third}" : string.Join("<n>", parts);
        }
    }

    public string Section => Key.Split(':')[0];

    public string Type => Kind switch
    {
        SettingKind.Boolean => "`true` or `false`",
        SettingKind.Duration => "time",
        SettingKind.AssetMode => "`Stream` or `Redirect`",
        SettingKind.OwnershipMode => "`Off` or `Group`",
        SettingKind.AccessLogMode => "`None`, `Errors` or `All`",
        SettingKind.Text => "text",
        _ => Key.EndsWith("Bytes", StringComparison.Ordinal) ? "bytes"
            : Key.EndsWith("BytesPerSecond", StringComparison.Ordinal) ? "bytes per second"
            : Key.EndsWith("PerSecond", StringComparison.Ordinal) ? "per second"
            : Kind is SettingKind.Integer ? "whole number" : "number",
    };

    public string DefaultText => Default switch
    {
        bool flag => flag ? "true" : "false",
        IFormattable value => value.ToString(null, CultureInfo.InvariantCulture),
        string text => text,
        _ => "",
    };

    private static List<Setting> Read()
    {
        var found = typeof(Generation).Assembly.GetTypes()
            .Select(type => (type, Section: type.GetField("Section")?.GetRawConstantValue() as string))
            .Where(one => one.Section is not null)
            .SelectMany(one => PropertiesOf(one.type, one.Section!, Activator.CreateInstance(one.type)))
            .OrderBy(one => one.Key, StringComparer.Ordinal)
            .ToList();
        foreach (var (key, _, property) in found.DistinctBy(one => MemberOf(one.Property)))
        {
            KeysByMember[MemberOf(property)] = key;
        }

        return [.. found.Select(one => Create(one.Key, one.Property, one.Default))];
    }

    private static Setting Create(string key, PropertyInfo property, object? initial)
    {
        var number = property.GetCustomAttribute<NumberAttribute>();
        var duration = property.GetCustomAttribute<DurationAttribute>();
        return new Setting(
            key, KnownSettings.Kinds[key], initial, duration?.Minimum ?? (object?)number?.Minimum, duration?.Maximum ?? (object?)number?.Maximum, TextOf(MemberOf(property)));
    }

    private static IEnumerable<(string Key, object? Default, PropertyInfo Property)> PropertiesOf(Type type, string section, object? options) => type
        .GetProperties(BindingFlags.Instance | BindingFlags.Public).Where(property => property.CanWrite)
        .SelectMany(property => SettingsOf(property, $"{section}:{property.Name}", options is null ? null : property.GetValue(options)));

    private static IEnumerable<(string Key, object? Default, PropertyInfo Property)> SettingsOf(PropertyInfo property, string key, object? value)
    {
        var type = property.PropertyType;
        return KnownSettings.Kinds.ContainsKey(key) ? [(key, value, property)]
            : type is not { IsGenericType: true, GenericTypeArguments: [var item] } ? PropertiesOf(type, key, value)
            : KnownSettings.Kinds.ContainsKey($"{key}:#") ? [($"{key}:#", null, property)]
            : PropertiesOf(item, $"{key}:#", Activator.CreateInstance(item));
    }

    private static string MemberOf(PropertyInfo property) => $"P:{property.DeclaringType!.FullName}.{property.Name}";

    private static string TextOf(string member)
    {
        if (!Summaries.TryGetValue(member, out var element))
        {
            return "";
        }

        return element.Element("inheritdoc")?.Attribute("cref")?.Value is { } inherited
            ? TextOf(inherited)
            : Spaces().Replace(string.Concat(element.Element("summary")!.Nodes().Select(TextOf)), " ").Trim();
    }

    private static string TextOf(XNode node) => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
        XElement { Name.LocalName: "see" } see when see.Attribute("cref")?.Value is { } member =>
            $"`{(KeysByMember.TryGetValue(member, out var key) ? key.Replace("#", "<n>", StringComparison.Ordinal) : member[(member.LastIndexOf('.') + 1)..])}`",
        _ => throw new InvalidOperationException($"The summary of a setting contains {node}."),
    };

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
