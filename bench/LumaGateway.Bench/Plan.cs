using System.Diagnostics.CodeAnalysis;
using LumaGateway.Bench.Parts;

namespace LumaGateway.Bench;

/// <summary>What the command line asked for.</summary>
/// <param name="Parts">In the order in which they run.</param>
/// <param name="Rounds">How often the contenders take turns, after a warm-up.</param>
/// <param name="Seconds">The length of one measurement.</param>
/// <param name="IsQuick">For trying the bench itself: short, and small where a part has a size.</param>
internal sealed record Plan(IReadOnlyList<IPart> Parts, int Rounds, int Seconds, bool IsQuick)
{
    /// <summary>The scaling page is asked for by name: it is no comparison.</summary>
    private const string OnlyByName = ScalingPart.PartName;

    /// <summary>The repository's root; <c>bench/run</c> starts us there.</summary>
    public static string Root => Environment.CurrentDirectory;

    /// <summary>What <c>bench/run</c> built, and what the parts leave behind.</summary>
    public static string Artifacts => Path.Combine(Root, "artifacts", "bench");

    public static bool TryParse(string[] args, IReadOnlyList<IPart> known, [NotNullWhen(true)] out Plan? plan, out string complaint)
    {
        var usage = $"bench/run [--quick] [--rounds N] [--seconds N] [{string.Join('|', known.Select(part => part.Name))}]...";
        var quick = args.Contains("--quick");
        var (rounds, seconds) = quick ? (2, 1) : (5, 2);
        var named = new List<IPart>();
        (plan, complaint) = (null, usage);
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--quick":
                    break;
                case "--rounds" when i + 1 < args.Length && int.TryParse(args[i + 1], out rounds) && rounds > 0:
                case "--seconds" when i + 1 < args.Length && int.TryParse(args[i + 1], out seconds) && seconds > 0:
                    i++;
                    break;
                case var name when known.FirstOrDefault(part => part.Name == name) is { } part:
                    named.Add(part);
                    break;
                default:
                    return false;
            }
        }

        plan = new Plan(named.Count > 0 ? named : [.. known.Where(part => part.Name != OnlyByName)], rounds, seconds, quick);
        return true;
    }
}
