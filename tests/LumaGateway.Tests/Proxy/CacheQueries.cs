using LumaGateway.Caching;
using LumaGateway.Contracts;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Proxy;

/// <summary>Reads the state of the cache without a fetch.</summary>
internal static class CacheQueries
{
    public static bool IsCached(this IServiceProvider services, string id) => services.GetRequiredService<ResponseCache>().HasFreshFinal(GenerationId.Parse(id, null));
}
