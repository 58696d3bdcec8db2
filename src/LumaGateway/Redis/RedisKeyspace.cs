namespace LumaGateway.Redis;

/// <summary>
/// Names what all answers of this process depend on: upstream account, dialect, and how answers are written. Part of every shared name, so that
/// gateways of another kind or version can share a Redis without reading each other's entries or hearing each other's messages.
/// </summary>
internal sealed record RedisKeyspace(string Account, string Dialect, string Schema)
{
    public string Prefix { get; } = $"luma-gateway:{Schema}:{Account}:{Dialect}:";

    /// <summary>The name in Redis. The braces keep all of one subject on one node of a Cluster, where commands are done in the order sent.</summary>
    public string NameOf(string subject, string part) => $"{Prefix}{{{subject}}}:{part}";
}
