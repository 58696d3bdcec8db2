using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Generations;

/// <summary>How much may be asked for at once. Bound to <c>Batch</c>.</summary>
internal sealed class BatchOptions
{
    public const string Section = "Batch";

    /// <summary>How many ids one request may name.</summary>
    [Number("Batch:MaxIds", 1, 1000)]
    public int MaxIds { get; set; } = 50;

    /// <summary>How many of them are read at the same time.</summary>
    [Number("Batch:Parallel", 1, 1000)]
    public int Parallel { get; set; } = 8;
}

[OptionsValidator]
internal sealed partial class BatchOptionsValidator : IValidateOptions<BatchOptions>;
