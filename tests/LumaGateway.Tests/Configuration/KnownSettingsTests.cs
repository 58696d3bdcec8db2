using System.Reflection;
using LumaGateway.Access;
using LumaGateway.Assets;
using LumaGateway.Configuration;
using LumaGateway.Contracts;

namespace LumaGateway.Tests.Configuration;

/// <summary>Compares the table of settings with the options classes.</summary>
public sealed class KnownSettingsTests
{
    [Fact]
    public void The_table_contains_exactly_the_settings_of_the_options_classes()
    {
        var bound = typeof(Generation).Assembly.GetTypes()
            .Select(type => (type, Section: type.GetField("Section")?.GetRawConstantValue() as string))
            .Where(found => found.Section is not null)
            .SelectMany(found => SettingsOf(found.type, found.Section!))
            .Order(StringComparer.Ordinal)
            .ToList();

        Assert.True(bound.Count > 80, $"Only {bound.Count} settings were found.");
        Assert.Equal(bound, KnownSettings.Kinds.Select(known => $"{known.Key} {known.Value}").Order(StringComparer.Ordinal));
    }

    /// <summary>The configuration system binds a null in a settings file as null.</summary>
    [Fact]
    public void A_text_setting_that_is_null_is_empty()
    {
        var texts = typeof(Generation).Assembly.GetTypes()
            .Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal))
            .SelectMany(type => type.GetProperties(BindingFlags.Instance | BindingFlags.Public))
            .Where(property => property.PropertyType == typeof(string) && property.CanWrite)
            .ToList();

        Assert.True(texts.Count > 20, $"Only {texts.Count} settings were found.");
        Assert.All(texts, text =>
        {
            var options = Activator.CreateInstance(text.DeclaringType!);
            text.SetValue(options, null);
            Assert.Equal("", text.GetValue(options));
        });
    }

    [Fact]
    public void A_host_that_is_null_is_reported() =>
        Assert.Contains("Assets:AllowedHosts:0", new AssetOptionsRules().Validate(null, new AssetOptions { AllowedHosts = [null!] }).FailureMessage, StringComparison.Ordinal);

    private static IEnumerable<string> SettingsOf(Type type, string key)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        if (KindOf(plain) is { } kind)
        {
            return [$"{key} {kind}"];
        }

        return plain is { IsGenericType: true, GenericTypeArguments: [var item] }
            ? SettingsOf(item, $"{key}:#")
            : plain.GetProperties(BindingFlags.Instance | BindingFlags.Public).Where(property => property.CanWrite).SelectMany(property => SettingsOf(property.PropertyType, $"{key}:{property.Name}"));
    }

    private static SettingKind? KindOf(Type type) =>
        type == typeof(string) ? SettingKind.Text
        : type == typeof(bool) ? SettingKind.Boolean
        : type == typeof(int) || type == typeof(long) ? SettingKind.Integer
        : type == typeof(double) ? SettingKind.Number
        : type == typeof(TimeSpan) ? SettingKind.Duration
        : type == typeof(AssetMode) ? SettingKind.AssetMode
        : type == typeof(OwnershipMode) ? SettingKind.OwnershipMode
        : type == typeof(AccessLogMode) ? SettingKind.AccessLogMode
        : null;
}
