namespace LumaGateway.Caching;

/// <summary>
/// What an answer is kept under. Everything else that an answer depends on (account, dialect, schema) is the same for the
/// whole process and stands once, in <see cref="Redis.RedisKeyspace"/>.
/// </summary>
internal readonly record struct CacheKey(string Id)
{
    public override string ToString() => Id;
}
