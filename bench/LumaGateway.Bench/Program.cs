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
    Console.Error.WriteLine($"bench/run [--quick] [--rounds N] [--seconds N] [--without CONTENDER]... [--gateway PROGRAM] [--before PROGRAM] [{string.Join('|', Part.All.Select(part => part.Name))}]...");
    return 2;
}

try
{
    foreach (var part in options.Parts)
    {
        await using var lab = await Lab.StartAsync(options);
        Report.Write(options, part, await part.RunAsync(lab));
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
    /// <param name="Rounds">Measured rounds after the warm-up.</param>
    /// <param name="Seconds">Length of one measurement.</param>
    /// <param name="IsQuick">Shortens everything, to try the bench itself. Results are printed and not written.</param>
    /// <param name="Without">Commands of contenders that are left out.</param>
    /// <param name="Gateway">The native program to measure.</param>
    /// <param name="Before">Another native program of the gateway, for example of an older commit, to compare in the same run; null for none.</param>
    internal sealed record BenchOptions(IReadOnlyList<Part> Parts, int Rounds, int Seconds, bool IsQuick, IReadOnlyList<string> Without, string Gateway, string? Before)
    {
        /// <summary>Returns null if an argument is unknown.</summary>
        public static BenchOptions? Parse(string[] args)
        {
            var isQuick = args.Contains("--quick");
            var (rounds, seconds) = isQuick ? (2, 1) : (5, 2);
            var (gateway, before) = ("artifacts/bench/gateway/LumaGateway", (string?)null);
            var (parts, without) = (new List<Part>(), new List<string>());
            for (var i = 0; i < args.Length; i++)
            {
                switch (args[i])
                {
                    case "--quick":
                        break;
                    case "--rounds" when int.TryParse(args.ElementAtOrDefault(++i), out rounds) && rounds > 0:
                    case "--seconds" when int.TryParse(args.ElementAtOrDefault(++i), out seconds) && seconds > 0:
                        break;
                    case "--without" when i + 1 < args.Length:
                        without.Add(args[++i]);
                        break;
                    case "--gateway" when File.Exists(args.ElementAtOrDefault(i + 1)):
                        gateway = args[++i];
                        break;
                    case "--before" when File.Exists(args.ElementAtOrDefault(i + 1)):
                        before = args[++i];
                        break;
                    case var name when Part.All.FirstOrDefault(part => part.Name == name) is { } part:
                        parts.Add(part);
                        break;
                    default:
                        return null;
                }
            }

            return new(parts.Count > 0 ? parts : [.. Part.All.Where(part => part.Name != "scaling")], rounds, seconds, isQuick, without, gateway, before);
        }
    }

    /// <summary>A result is invalid or a server failed. Ends the run.</summary>
    internal sealed class BenchException(string message) : Exception(message);
}
