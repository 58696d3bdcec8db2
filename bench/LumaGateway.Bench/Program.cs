using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using LumaGateway.Bench;

[assembly: SupportedOSPlatform("linux")]

if (args is ["serve", var baseline, .. var rest])
{
    await Baselines.Build(baseline, rest).RunAsync();
    return 0;
}

// Environment.Exit raises the event that kills the servers; the signal alone does not.
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => Environment.Exit(130));
if (BenchOptions.Parse(args) is not { } options)
{
    Console.Error.WriteLine($"bench/run [--quick] [--rounds N] [--seconds N] [--program NAME=FILE]... [{string.Join('|', Part.Names)}]...");
    return 2;
}

try
{
    foreach (var part in Part.All.Where(part => options.Parts.Contains(part.Name)))
    {
        await using var lab = await Lab.StartAsync(options);
        Console.WriteLine($"## {part.Title}\n\n{await part.RunAsync(lab)}");
    }

    return 0;
}
catch (BenchException exception)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}

namespace LumaGateway.Bench
{
    /// <summary>A native program of the gateway.</summary>
    internal sealed record GatewayProgram(string Name, string File);

    /// <param name="Rounds">Measured rounds after the warm-up.</param>
    /// <param name="Seconds">Length of one measurement.</param>
    /// <param name="IsQuick">Shortens everything, to try the bench itself.</param>
    /// <param name="Programs">Take part in turns in each run.</param>
    internal sealed record BenchOptions(IReadOnlyList<string> Parts, int Rounds, int Seconds, bool IsQuick, IReadOnlyList<GatewayProgram> Programs)
    {
        /// <summary>Returns null if an argument is unknown.</summary>
        public static BenchOptions? Parse(string[] args)
        {
            var isQuick = args.Contains("--quick");
            var (rounds, seconds) = isQuick ? (2, 1) : (5, 2);
            var (parts, programs) = (new List<string>(), new List<GatewayProgram>());
            for (var i = 0; i < args.Length; i++)
            {
                var value = args.ElementAtOrDefault(i + 1) ?? "";
                switch (args[i])
                {
                    case "--quick":
                        break;
                    case "--rounds" when int.TryParse(value, out rounds) && rounds > 0:
                    case "--seconds" when int.TryParse(value, out seconds) && seconds > 0:
                        i++;
                        break;
                    case "--program" when value.Split('=') is [var name, var file] && File.Exists(file):
                        programs.Add(new(name, file));
                        i++;
                        break;
                    case var name when Part.Names.Contains(name):
                        parts.Add(name);
                        break;
                    default:
                        return null;
                }
            }

            return new(
                parts.Count > 0 ? parts : [.. Part.Names.Where(name => name != "scaling")], rounds, seconds, isQuick,
                programs.Count > 0 ? programs : [new("gateway", "artifacts/bench/gateway/LumaGateway")]);
        }
    }

    /// <summary>A result is invalid or a server failed. Ends the run.</summary>
    internal sealed class BenchException(string message) : Exception(message);
}
