using LumaGateway.Telemetry;

namespace LumaGateway.Hosting;

/// <summary><c>--help</c> and <c>--version</c>.</summary>
internal static class HelpCommand
{
    private const string Help = """
        LumaGateway: a gateway between internal callers and Luma's AI video API.

        LumaGateway [--Key=value ...]           starts the gateway; settings also come from appsettings.json and the environment
        LumaGateway --check [--Key=value ...]   checks the settings and every connection, prints one line for each, and exits
        LumaGateway key new                     creates a client key and prints it with its SHA-256
        LumaGateway health [address]            requests /health/live: of the gateway on this machine, or at the address
        LumaGateway --version, --help

        The settings of a first start, as environment variables (on the command line: --Luma:Dialect=... and so on):
          Luma__BaseAddress=https://api.lumalabs.ai/dream-machine/v1
          Luma__Dialect=dream-machine
          Luma__ApiKeyFile=/run/secrets/luma
          Access__Clients__0__Name=my-service
          Access__Clients__0__KeySha256=<the SHA-256 of the key>

        README.md and docs/ describe all settings.
        """;

    public static void PrintHelp(TextWriter output) => output.WriteLine(Help);

    public static void PrintVersion(TextWriter output) => output.WriteLine(Instrumentation.Version);
}
