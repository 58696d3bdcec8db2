using LumaGateway.Caching;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Proxy;

/// <summary>Looks into the cache without asking it for anything.</summary>
internal static class Cached
{
    public static bool Holds(this IServiceProvider services, string id) => services.GetRequiredService<ResponseCache>().HasFreshFinal(new CacheKey(id));
}
