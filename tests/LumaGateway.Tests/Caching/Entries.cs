using System.Text;
using LumaGateway.Caching;
using LumaGateway.Contracts;

namespace LumaGateway.Tests.Caching;

/// <summary>Creates cache entries for tests.</summary>
internal static class Entries
{
    public static readonly GenerationId Key = GenerationId.Parse("g1", null);

    public static readonly DateTimeOffset Noon = new(2026, 4, 8, 12, 0, 0, TimeSpan.Zero);

    /// <summary>A final entry. By default fresh for an hour and served stale for a week after that.</summary>
    public static CacheEntry Final(DateTimeOffset storedAt, string body = "final", TimeSpan? freshFor = null, TimeSpan? staleFor = null, GenerationId? key = null)
    {
        var freshUntil = storedAt + (freshFor ?? TimeSpan.FromHours(1));
        return new CacheEntry(key ?? Key, EntryKind.Final, Encoding.UTF8.GetBytes(body), storedAt, freshUntil, freshUntil + (staleFor ?? TimeSpan.FromDays(7)));
    }

    /// <summary>An interim entry. By default fresh for two seconds.</summary>
    public static CacheEntry Interim(DateTimeOffset storedAt, string body = "interim", TimeSpan? freshFor = null, GenerationId? key = null)
    {
        var freshUntil = storedAt + (freshFor ?? TimeSpan.FromSeconds(2));
        return new CacheEntry(key ?? Key, EntryKind.Interim, Encoding.UTF8.GetBytes(body), storedAt, freshUntil, freshUntil);
    }

    /// <summary>An entry for a generation that does not exist. Fresh for a second.</summary>
    public static CacheEntry NotFound(DateTimeOffset storedAt, GenerationId? key = null) =>
        new(key ?? Key, EntryKind.NotFound, [], storedAt, storedAt + TimeSpan.FromSeconds(1), storedAt);

    /// <summary>An entry with the given kind, id, body and metadata.</summary>
    public static CacheEntry Any(EntryKind kind, string id, byte[] body, byte[] side) =>
        new(GenerationId.Parse(id, null), kind, body, Noon, Noon.AddHours(1), Noon.AddDays(7)) { Metadata = side };

    /// <summary>The body of an entry as text; <c>null</c> if there is no entry.</summary>
    public static string? Text(this CacheEntry? entry) => entry is null ? null : Encoding.UTF8.GetString(entry.Body);
}
