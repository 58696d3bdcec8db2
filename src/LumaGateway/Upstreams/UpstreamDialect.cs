using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>The dialect of <c>Luma:Dialect</c>.</summary>
internal sealed class UpstreamDialect(IReadOnlyList<IUpstreamDialect> dialects, IOptions<LumaOptions> options)
{
    public IUpstreamDialect Configured { get; } = dialects.Single(dialect => dialect.Name == options.Value.Dialect);
}
