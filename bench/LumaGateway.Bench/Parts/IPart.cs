using LumaGateway.Bench.Machine;

namespace LumaGateway.Bench.Parts;

/// <summary>A question that the bench answers; can be run alone.</summary>
internal interface IPart
{
    /// <summary>What the command line calls it.</summary>
    string Name { get; }

    /// <summary>Its heading in the results.</summary>
    string Title { get; }

    /// <summary>Measures, and gives what was found as Markdown.</summary>
    Task<string> RunAsync(Lab lab);
}
