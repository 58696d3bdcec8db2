using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>The one dialect that <c>Luma:Dialect</c> chose.</summary>
internal sealed class UpstreamDialect(IEnumerable<IUpstreamDialect> dialects, IOptions<LumaOptions> options)
{
    public IUpstreamDialect Chosen { get; } = dialects.Single(dialect => dialect.Name == options.Value.Dialect);
}
