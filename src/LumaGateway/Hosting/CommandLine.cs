using System.Globalization;

namespace LumaGateway.Hosting;

/// <summary>
/// Reads the program's arguments: a command (<c>key new</c>, <c>health</c>, <c>--help</c>, <c>--version</c>), or settings with or without <c>--check</c>.
/// Reports any other argument, because the configuration system ignores unknown arguments.
/// </summary>
internal sealed class CommandLine(string[] args)
{
    private const string Check = "--check";

    /// <summary>The output of <c>--check</c> contains no log messages.</summary>
    private const string NoConsoleLog = "--Logging:Console:LogLevel:Default=None";

    private const int Success = 0;
    private const int UnknownArgument = 1;

    /// <summary>Arguments that are not the key of a setting, so no value follows them.</summary>
    private static readonly string[] WithoutValue = [Check, "--help", "--version"];

    /// <summary>True for <c>--check</c>: the gateway checks its connections and exits.</summary>
    public bool IsCheck { get; } = args.Contains(Check);

    /// <summary>The arguments for the configuration system.</summary>
    public string[] Settings { get; } = [.. args.Select(argument => argument is Check ? NoConsoleLog : argument)];

    /// <summary>Runs a command that needs no settings, or reports an unknown argument.</summary>
    /// <returns>The exit code; null if the gateway must start or check its connections.</returns>
    public async Task<int?> TryRunAsync(TextWriter output, TextWriter errors)
    {
        switch (args)
        {
            case ["key", "new"]:
                KeyCommand.Run(output);
                return Success;
            case ["health"]:
                return await HealthCommand.RunAsync(errors);
            case ["health", var address]:
                return await HealthCommand.RunAsync(address, errors);
            case ["--help" or "-h" or "-?" or "help"]:
                HelpCommand.PrintHelp(output);
                return Success;
            case ["--version" or "version"]:
                HelpCommand.PrintVersion(output);
                return Success;
            default:
                return FindUnknownArgument() is { } index ? ReportUnknownArgument(index, errors) : null;
        }
    }

    private int ReportUnknownArgument(int index, TextWriter errors)
    {
        // An argument without a dash may be a secret: the message contains its position only.
        var argument = args[index].StartsWith('-') ? $"'{args[index]}'" : string.Create(CultureInfo.InvariantCulture, $"number {index + 1}");
        errors.WriteLine($"Unknown argument: {argument}. See LumaGateway --help.");
        return UnknownArgument;
    }

    /// <summary>A setting is <c>--Key=value</c> or <c>--Key value</c>, the same with <c>/</c> instead of <c>--</c>, or <c>Key=value</c>.</summary>
    private int? FindUnknownArgument()
    {
        for (var i = 0; i < args.Length; i++)
        {
            var isKey = args[i].StartsWith("--", StringComparison.Ordinal) || args[i].StartsWith('/');
            if (args[i] is Check || (args[i].Contains('=', StringComparison.Ordinal) && (isKey || !args[i].StartsWith('-'))))
            {
                continue;
            }

            var hasValue = i + 1 < args.Length && !args[i + 1].StartsWith("--", StringComparison.Ordinal);
            if (!isKey || !hasValue || WithoutValue.Contains(args[i]))
            {
                return i;
            }

            i++;
        }

        return null;
    }
}
