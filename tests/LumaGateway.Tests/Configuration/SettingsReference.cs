using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using LumaGateway.Configuration;

namespace LumaGateway.Tests.Configuration;

/// <summary>Generates <c>docs/settings.md</c> and <c>appsettings.schema.json</c> from the options classes.</summary>
internal static class SettingsReference
{
    /// <summary>The settings that most installations set. The README lists the same.</summary>
    public static readonly string[] OfOperators =
    [
        "Luma:BaseAddress", "Luma:Dialect", "Luma:Name", "Luma:ApiKeyFile", "ConnectionStrings:Redis", "ConnectionStrings:Ledger", "Cache:SigningKeyFile", "Cache:MemoryBytes",
        "Freshness:Completed", "Access:Clients", "Access:Jwt:Authority", "Access:Jwt:Audience", "Limits:RequestsPerSecond", "Limits:Upstream:Concurrency", "Luma:MaxPollsPerSecond", "Management:Port",
    ];

    private const string Introduction =
        """
        # Settings

        All settings of the gateway. This page is generated from the options classes; `SettingsReferenceTests` compares the two and says how to write it again.
        `appsettings.schema.json` has the same content for editors.

        - Sources, in order of precedence: the command line (`--Luma:Dialect relay`), the environment (`Luma__Dialect`), `appsettings.<environment>.json`,
          `appsettings.json`. [Where the files are](../README.md#settings). `<n>` and `<m>` count from 0.
        - Most installations set only the settings in **bold**, which the [README](../README.md#settings) lists. The defaults of all others suit most upstreams.
        - A time is `[d.]hh:mm:ss[.fff]`, with hours up to 23: a day is `1.00:00:00`. `24:00:00` and a number alone are refused, because .NET reads both as days. A range includes its ends.
        - An unknown key in these sections, and an invalid value, prevent the start. The message names the key and the nearest known one.
        - `Access:Clients`, `Access:AllowAnonymous`, `Limits` without `Limits:Upstream`, and `ReverseProxy` are read again when a settings file changes. So is the file of a secret that a setting
          names. All others are read at the start.
        - Not listed: the sections of .NET and of libraries (`Kestrel`, `Logging`, `ReverseProxy`), and the variables `ASPNETCORE_*` and [`OTEL_*`](observability.md#exporters).

        The pages of the features explain how settings work together: [security](security.md) (`Access`, `Limits`, `ForwardedHeaders`, `Server`, `Management`),
        [the API under /luma](passthrough.md) (`Passthrough`), [assets](assets.md) (`Assets`), [waiting](waiting.md) (`Waiting`, `Batch`, `Callbacks`),
        [operations](operations.md) (`Server:Shutdown…`) and [Redis](../infra/redis.md) (`ConnectionStrings`, `Cache`).

        """;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Page()
    {
        var page = new StringBuilder(Introduction);
        foreach (var section in Setting.All.GroupBy(setting => setting.Section))
        {
            page.Append('\n').Append("## ").Append(section.Key).Append("\n\n| key | meaning | type | range | default |\n|---|---|---|---|---|\n");
            foreach (var one in section)
            {
                var key = IsOfOperators(one) ? $"**`{one.Name}`**" : $"`{one.Name}`";
                page.Append(CultureInfo.InvariantCulture, $"| {key} | {one.Summary.Replace("|", "\\|", StringComparison.Ordinal)} | {one.Type} | {RangeOf(one)} | {DefaultOf(one)} |\n");
            }
        }

        return page.ToString();
    }

    public static string Schema()
    {
        var root = SchemaOf([.. Setting.All], depth: 0);
        root.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        root.Insert(1, "title", "Settings of LumaGateway");
        root.Remove("additionalProperties"); // the sections of .NET and of libraries
        root["properties"]![KnownSettings.Logging]!.AsObject().Remove("additionalProperties"); // .NET has more settings in it
        return root.ToJsonString(Indented) + "\n";
    }

    /// <summary>Returns the schema of settings whose keys have the first <paramref name="depth"/> parts in common.</summary>
    private static JsonObject SchemaOf(IReadOnlyList<Setting> settings, int depth)
    {
        var parts = settings[0].Key.Split(':');
        if (parts.Length == depth)
        {
            return Value(settings[0]);
        }

        if (parts[depth] is "#")
        {
            return new JsonObject { ["type"] = "array", ["items"] = SchemaOf(settings, depth + 1) };
        }

        var properties = settings.GroupBy(setting => setting.Key.Split(':')[depth])
            .Select(group => KeyValuePair.Create(group.Key, (JsonNode?)SchemaOf([.. group], depth + 1)));
        return new JsonObject { ["type"] = "object", ["properties"] = new JsonObject(properties), ["additionalProperties"] = false };
    }

    private static bool IsOfOperators(Setting setting) => OfOperators.Any(key => setting.Key == key || setting.Key is [.. var start, ':'] && start == key)
        || (setting.Key.StartsWith("Access:Clients:", StringComparison.Ordinal) && !setting.Key.Contains(":Limits", StringComparison.Ordinal));

    private static string RangeOf(Setting setting) =>
        setting.Minimum is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{setting.Minimum} to {setting.Maximum:0.##}");

    private static string DefaultOf(Setting setting) => setting.DefaultText.Length == 0 ? "" : $"`{setting.DefaultText}`";

    private static JsonObject Value(Setting setting)
    {
        var value = setting.Kind switch
        {
            SettingKind.Boolean => new JsonObject { ["type"] = "boolean" },
            SettingKind.Integer => new JsonObject { ["type"] = "integer" },
            SettingKind.Number => new JsonObject { ["type"] = "number" },
            SettingKind.Duration => new JsonObject { ["type"] = "string", ["pattern"] = "^([0-9]+\\.)?([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,7})?)?$" },
            SettingKind.AssetMode => new JsonObject { ["enum"] = new JsonArray("Stream", "Redirect") },
            SettingKind.OwnershipMode => new JsonObject { ["enum"] = new JsonArray("Off", "Group") },
            SettingKind.AccessLogMode => new JsonObject { ["enum"] = new JsonArray("None", "Errors", "All") },
            _ => new JsonObject { ["type"] = "string" },
        };
        value["description"] = setting.Summary;
        if (setting.Minimum is double minimum)
        {
            value["minimum"] = minimum;
            value["maximum"] = (double)setting.Maximum!;
        }

        if (setting.DefaultText.Length > 0)
        {
            value["default"] = setting.Default switch
            {
                bool flag => flag,
                int or long or double => JsonValue.Create(Convert.ToDouble(setting.Default, CultureInfo.InvariantCulture)),
                _ => setting.DefaultText,
            };
        }

        return value;
    }
}
