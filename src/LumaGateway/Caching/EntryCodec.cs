using LumaGateway.Contracts;
using LumaGateway.Redis;

namespace LumaGateway.Caching;

/// <summary>Converts entries to the signed bytes in Redis, and back. Thread-safe.</summary>
internal sealed class EntryCodec(RedisSigner signer, EntryLimits limits, CacheMetrics metrics, TimeProvider clock)
{
    public byte[] Encode(CacheEntry entry, string name) => signer.Sign(SignedKind.Entry, name, CacheEntryFormat.Write(entry));

    /// <summary>
    /// Returns null if there are no bytes, or if they are damaged, not authenticated, of another key or of the wrong kind. Times are limited to what the settings allow.
    /// </summary>
    public CacheEntry? Decode(GenerationId key, string name, bool isFinal, byte[]? bytes)
    {
        if (bytes is null)
        {
            return null;
        }

        var entry = signer.TryVerify(SignedKind.Entry, name, bytes, out var verified) ? CacheEntryFormat.Read(key, verified) : null;
        if (entry is not null && entry.Kind is EntryKind.Final == isFinal && limits.Clamp(entry, clock.GetUtcNow()) is { } bounded)
        {
            return bounded;
        }

        metrics.RecordCorrupt();
        return null;
    }
}
