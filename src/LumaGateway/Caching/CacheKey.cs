namespace LumaGateway.Caching;

/// <summary>
/// The key of a cache entry. Account, dialect and schema are the same for the whole process; they are part of <see cref="Redis.RedisKeyspace"/>.
/// </summary>
internal readonly record struct CacheKey(string Id)
{
    public override string ToString() => Id;
}
