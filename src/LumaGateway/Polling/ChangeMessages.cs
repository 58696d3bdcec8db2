using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Redis;

namespace LumaGateway.Polling;

/// <summary>
/// The message that a generation changed: <c>changed</c>, the id, and the new entry in base64. Without an entry it is a hint that a callback arrived.
/// Messages may be lost: a replica that gets none finds the new entry in Redis with its next poll. A malformed message is dropped. Does not throw.
/// </summary>
internal sealed class ChangeMessages
{
    private const string Topic = "changed";

    private readonly ReplicaBus _bus;
    private readonly EntryLimits _limits;
    private readonly TimeProvider _clock;

    public ChangeMessages(ReplicaBus bus, EntryLimits limits, TimeProvider clock)
    {
        (_bus, _limits, _clock) = (bus, limits, clock);
        bus.Subscribe(Topic, OnMessage);
    }

    /// <summary>A replica, possibly this one, sent an entry, or a hint without one.</summary>
    public event Action<GenerationId, CacheEntry?>? Received;

    public Task PublishAsync(CacheEntry entry) => _bus.PublishAsync(Topic, entry.Key.Value, Convert.ToBase64String(CacheEntryFormat.Write(entry)));

    public Task PublishHintAsync(GenerationId id) => _bus.PublishAsync(Topic, id.Value);

    private bool OnMessage(string[] words)
    {
        if (words.Length is not (1 or 2) || !GenerationId.TryParse(words[0], null, out var id))
        {
            return false;
        }

        var entry = words.Length == 2 ? Parse(id, words[1]) : null;
        if (words.Length == 2 && entry is null)
        {
            return false;
        }

        Received?.Invoke(id, entry);
        return true;
    }

    /// <summary>Applies the same limits to the entry's times as a read from Redis does.</summary>
    private CacheEntry? Parse(GenerationId id, string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var length) && CacheEntryFormat.Read(id, bytes.AsSpan(0, length)) is { } entry
            ? _limits.Clamp(entry, _clock.GetUtcNow())
            : null;
    }
}
