namespace LumaGateway.Sandbox;

/// <summary>
/// Reads the program's arguments: <c>--help</c>, the options below, and <c>--Sandbox:Key=value</c> for every setting of <see cref="SandboxOptions"/>. Refuses
/// any other argument, because the configuration system ignores unknown arguments.
/// </summary>
internal static class CommandLine
{
    private const int Success = 0;
    private const int UsageError = 2;

    private const string Alone = "--alone";

    private const string Help = """
        An emulated Luma, and LumaGateway in front of it. It needs no key and no network.

        dotnet run --project src/LumaGateway.Sandbox -- [options]

          --dialect all            relay, dream-machine, agents, new-api, piapi, or all: one gateway for each of the first three (default)
          --gateway-port 8080      port of the first gateway; with all, the others listen on this port + 2 and + 3
                                   (each has its status page 1000 ports higher)
          --port 8081              port of the emulated Luma
          --urls <addresses>       addresses of the emulated Luma, instead of localhost and --port
          --alone                  starts the emulated Luma without a gateway
          --Sandbox:<key>=<value>  any setting, such as --Sandbox:ProcessingFor=00:00:03; src/LumaGateway.Sandbox/README.md lists them
          --help                   prints this text

        The demo prints addresses and commands to paste. Ctrl+C stops everything.
        """;

    /// <summary>The options that take a value or none, and their settings.</summary>
    private static readonly Dictionary<string, string> Options = new(StringComparer.OrdinalIgnoreCase)
    {
        [Alone] = "Sandbox:Alone",
        ["--port"] = "Sandbox:Port",
        ["--gateway-port"] = "Sandbox:GatewayPort",
        ["--dialect"] = "Sandbox:Dialect",
    };

    /// <summary>Prints the help, or reports the first invalid argument.</summary>
    /// <returns>The exit code; null if the sandbox must start.</returns>
    public static int? TryRun(string[] args, TextWriter output, TextWriter errors)
    {
        if (args is ["--help" or "-h" or "-?" or "help"])
        {
            output.WriteLine(Help);
            return Success;
        }

        if (FaultOf(args) is not { } fault)
        {
            return null;
        }

        errors.WriteLine($"{fault} See --help.");
        return UsageError;
    }

    /// <summary>Adds the settings of valid arguments.</summary>
    public static void AddArguments(this IConfigurationBuilder configuration, string[] args) =>
        // The parser would take the next option as the value of a switch without a value.
        configuration.AddCommandLine([.. args.Select(arg => arg is Alone ? $"{Alone}=true" : arg)], Options);

    private static string? FaultOf(string[] args)
    {
        for (var i = 0; i < args.Length; i++)
        {
            var name = args[i].Split('=', 2)[0];
            if (!IsKnown(name))
            {
                return $"Unknown argument: '{name}'.";
            }

            if (args[i] is Alone || args[i].Length > name.Length)
            {
                continue;
            }

            if (i + 1 == args.Length || args[i + 1].StartsWith("--", StringComparison.Ordinal))
            {
                return $"The argument '{name}' needs a value.";
            }

            i++; // the value
        }

        return null;
    }

    private static bool IsKnown(string name) => name is "--urls" || Options.ContainsKey(name)
        || typeof(SandboxOptions).GetProperties().Any(setting => name.Equals($"--{SandboxOptions.Section}:{setting.Name}", StringComparison.OrdinalIgnoreCase));
}
