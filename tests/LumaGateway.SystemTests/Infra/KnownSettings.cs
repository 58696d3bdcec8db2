using System.Globalization;
using System.Reflection;

namespace LumaGateway.SystemTests.Infra;

/// <summary>The settings of the gateway and the sandbox, according to their options classes.</summary>
internal static class KnownSettings
{
    /// <summary>Settings of ASP.NET Core, .NET and OpenTelemetry.</summary>
    private static readonly string[] Platform = ["ASPNETCORE_", "DOTNET_", "OTEL_", "Kestrel__", "Logging__"];

    private static readonly (string[] Section, Type Options)[] Classes =
    [
        .. new[] { "LumaGateway", "LumaGateway.Sandbox" }
            .SelectMany(name => Assembly.Load(name).GetTypes())
            .Select(type => (type.GetField("Section")?.GetRawConstantValue() as string, type))
            .Where(found => found.Item1 is not null)
            .Select(found => (found.Item1!.Split(':'), found.type)),
    ];

    /// <param name="variable">The name of the environment variable, such as <c>Luma__ApiKeyFile</c>.</param>
    public static bool Contains(string variable)
    {
        var parts = variable.Split("__");
        return Platform.Any(prefix => variable.StartsWith(prefix, StringComparison.Ordinal))
            || Classes.Any(known => parts.Length > known.Section.Length
                && parts.Take(known.Section.Length).SequenceEqual(known.Section)
                && IsIn(known.Options, parts.AsSpan(known.Section.Length)));
    }

    private static bool IsIn(Type type, ReadOnlySpan<string> parts)
    {
        if (parts is [])
        {
            return true;
        }

        return type is { IsGenericType: true, GenericTypeArguments: [var item] }
            ? int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out _) && IsIn(item, parts[1..])
            : type.GetProperty(parts[0])?.PropertyType is { } property && IsIn(property, parts[1..]);
    }
}
