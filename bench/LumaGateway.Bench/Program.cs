using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using LumaGateway.Bench;
using LumaGateway.Bench.Baselines;
using LumaGateway.Bench.Machine;
using LumaGateway.Bench.Parts;
using LumaGateway.Bench.Report;

[assembly: SupportedOSPlatform("linux")]

if (args is ["serve", var baseline, .. var rest])
{
    await Baseline.ServeAsync(baseline, rest);
    return 0;
}

// Started processes are killed at this process's end, which without this an interrupt would skip.
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => Environment.Exit(130));

IReadOnlyList<IPart> parts =
    [new HitPart(), new RedisHitPart(), new MissPart(), new PassthroughPart(), new AssetsPart(), new LatencyPart(), new StartPart(), new MillionPart(), new PiecesPart(), new ScalingPart()];
if (!Plan.TryParse(args, parts, out var plan, out var complaint))
{
    Console.Error.WriteLine(complaint);
    return 2;
}

foreach (var part in plan.Parts)
{
    Console.WriteLine($"\n== {part.Name}: {part.Title}");
    try
    {
        await using var lab = await Lab.OpenAsync(plan);
        ResultsPage.Keep(plan, part, await part.RunAsync(lab));
    }
    catch (BenchException exception)
    {
        Console.Error.WriteLine(exception.Message);
        return 1;
    }
}

ResultsPage.Write(plan, parts);
return 0;
