namespace LumaGateway.Redis;

/// <summary>
/// The prefix of all Redis names of this process: account, dialect and schema. Gateways of another account, dialect or version can share a Redis without
/// reading each other's entries or messages.
/// </summary>
internal sealed record RedisKeyspace(string Account, string Dialect, string Schema)
{
    public string Prefix { get; } = $"luma-gateway:{Schema}:{Account}:{Dialect}:";

    /// <summary>The Redis name of one part of an id. The hash tag keeps all names of an id on one node of a Cluster.</summary>
    public string NameOf(string subject, string part) => $"{Prefix}{{{subject}}}:{part}";
}
