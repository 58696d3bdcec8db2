namespace LumaGateway.Telemetry;

/// <summary>
/// Validates the settings that ASP.NET Core and OpenTelemetry read when they create the log: before all other settings are validated, and with an exception that does not
/// name the key.
/// </summary>
internal static class LogRules
{
    private const string LogLevels = "LogLevel";

    private static readonly string[] Formatters = ["simple", "json", "systemd"];

    /// <summary>Returns an error text for each fault, which starts with the setting's key and does not contain its value.</summary>
    public static List<string> FaultsOf(IConfiguration configuration)
    {
        var logging = configuration.GetSection("Logging");
        var faults = logging.GetChildren().Select(static provider => provider.GetSection(LogLevels)).Prepend(logging.GetSection(LogLevels))
            .SelectMany(static levels => levels.AsEnumerable())
            .Where(static level => level.Value is { Length: > 0 } value && !Enum.TryParse<LogLevel>(value, ignoreCase: true, out _))
            .Select(static level => $"{level.Key} must be one of {string.Join(", ", Enum.GetNames<LogLevel>())}.")
            .ToList();
        var formatter = logging.GetSection("Console:FormatterName");
        if (formatter.Value is { Length: > 0 } name && !Formatters.Contains(name, StringComparer.OrdinalIgnoreCase))
        {
            faults.Add($"{formatter.Path} must be one of {string.Join(", ", Formatters)}.");
        }

        faults.AddRange(OtlpRules.HeaderFaultsOf(configuration));
        return faults;
    }
}
