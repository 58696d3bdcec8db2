using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Generations;

/// <summary>Limits of batch reads. Bound to <c>Batch</c>.</summary>
internal sealed class BatchOptions
{
    public const string Section = "Batch";

    /// <summary>The most ids in one request.</summary>
    [Number("Batch:MaxIds", 1, 1000)]
    public int MaxIds { get; set; } = 50;
}

[OptionsValidator]
internal sealed partial class BatchOptionsValidator : IValidateOptions<BatchOptions>;
