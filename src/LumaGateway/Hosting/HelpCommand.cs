using System.Globalization;
using LumaGateway.Telemetry;

namespace LumaGateway.Hosting;

/// <summary><c>--help</c>, <c>--version</c>, and an answer to arguments that are neither commands nor settings. The configuration would pass these over.</summary>
internal static class HelpCommand
{
    private const int Done = 0;
    private const int Unknown = 1;

    private const string Check = "--check";

    private const string Text = """
        LumaGateway: one door between internal callers and Luma's AI video API.

        LumaGateway [--Key=value ...]           serves; settings also come from appsettings.json and the environment
        LumaGateway --check [--Key=value ...]   tries what the settings name, says a line for each, and ends
        LumaGateway key new                     makes a client key and its hash
        LumaGateway health [address]            asks the gateway that runs beside it whether it lives
        LumaGateway --version, --help

        The least it needs, in the environment (on the command line --Luma:Dialect=... and so on):
          Luma__BaseAddress=https://api.lumalabs.ai/dream-machine/v1
          Luma__Dialect=dream-machine
          Luma__ApiKeyFile=/run/secrets/luma
          Access__Clients__0__Name=my-service
          Access__Clients__0__KeySha256=<the hash>

        All settings are in README.md and docs/.
        """;

    private static readonly string[] Alone = [Check, "--help", "--version"];

    /// <summary>The exit code; null where the gateway is to start.</summary>
    public static int? TryRun(string[] args, TextWriter output, TextWriter errors)
    {
        if (args is ["--help" or "-h" or "-?" or "help"])
        {
            output.WriteLine(Text);
            return Done;
        }

        if (args is ["--version" or "version"])
        {
            output.WriteLine(Instrumentation.Version);
            return Done;
        }

        if (FirstUnknown(args) is not { } index)
        {
            return null;
        }

        // What is no option may be a value, and a value a secret: only its place is told.
        var argument = args[index].StartsWith('-') ? $"'{args[index]}'" : string.Create(CultureInfo.InvariantCulture, $"number {index + 1}");
        errors.WriteLine($"LumaGateway does not know argument {argument}. --help says what it takes.");
        return Unknown;
    }

    /// <summary>Settings are <c>--Key=value</c>, <c>--Key value</c>, or the same with <c>/</c>, or <c>Key=value</c>.</summary>
    private static int? FirstUnknown(string[] args)
    {
        for (var i = 0; i < args.Length; i++)
        {
            var isKey = args[i].StartsWith("--", StringComparison.Ordinal) || args[i].StartsWith('/');
            if (args[i] is Check || (args[i].Contains('=', StringComparison.Ordinal) && (isKey || !args[i].StartsWith('-'))))
            {
                continue;
            }

            var hasValue = i + 1 < args.Length && !args[i + 1].StartsWith("--", StringComparison.Ordinal);
            if (!isKey || !hasValue || Alone.Contains(args[i]))
            {
                return i;
            }

            i++;
        }

        return null;
    }
}
