using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Redis;

namespace LumaGateway.Polling;

/// <summary>A generation that has waiters on a replica, and the state that the replica knows.</summary>
/// <param name="Key">The generation.</param>
/// <param name="StateCode"><see cref="GenerationSnapshot.StateCode"/>, or <see cref="GenerationSnapshot.UnknownStateCode"/>.</param>
internal readonly record struct AnnouncedTarget(GenerationId Key, char StateCode);

/// <summary>
/// The messages that replicas exchange about polling. Any message may be lost. Publishing does not throw. A message that does not have exactly the
/// form that a replica writes is dropped as a whole.
/// </summary>
internal sealed class PollingMessages
{
    private const string EntryTopic = "change";
    private const string TargetsTopic = "want";
    private const string AcknowledgementTopic = "lead";
    private const string HintTopic = "nudge";

    /// <summary>The most keys or replica ids in one message; a longer list is split.</summary>
    private const int MaxItems = ReplicaBus.MaxWords - 1;

    private const int ReplicaIdLength = 12;

    private readonly ReplicaBus _bus;
    private readonly EntryLimits _limits;
    private readonly TimeProvider _clock;

    public PollingMessages(ReplicaBus bus, EntryLimits limits, TimeProvider clock)
    {
        (_bus, _limits, _clock) = (bus, limits, clock);
        bus.Subscribe(EntryTopic, OnEntry);
        bus.Subscribe(TargetsTopic, OnTargets);
        bus.Subscribe(AcknowledgementTopic, OnAcknowledgement);
        bus.Subscribe(HintTopic, OnHint);
    }

    /// <summary>A replica sent an entry for which this replica may have waiters.</summary>
    public event Action<CacheEntry>? EntryReceived;

    /// <summary>Another replica, with this id, announced its targets.</summary>
    public event Action<string, IReadOnlyList<AnnouncedTarget>>? TargetsAnnounced;

    /// <summary>The leader acknowledged the announcements of the replicas with these ids.</summary>
    public event Action<IReadOnlyList<string>>? Acknowledged;

    /// <summary>A replica received a callback for a generation.</summary>
    public event Action<GenerationId>? HintReceived;

    /// <summary>Identifies this process until it ends.</summary>
    public string ReplicaId { get; } = Guid.NewGuid().ToString("N")[..ReplicaIdLength];

    public Task PublishEntryAsync(CacheEntry entry) => _bus.PublishAsync(EntryTopic, entry.Key.Value, Convert.ToBase64String(CacheEntryFormat.Write(entry)));

    public Task PublishTargetsAsync(IEnumerable<AnnouncedTarget> targets) =>
        Task.WhenAll(targets.Chunk(MaxItems).Select(some => _bus.PublishAsync(TargetsTopic, [ReplicaId, .. some.Select(target => $"{target.Key}:{target.StateCode}")])));

    public Task PublishAcknowledgementAsync(IEnumerable<string> replicas) =>
        Task.WhenAll(replicas.Chunk(MaxItems).Select(some => _bus.PublishAsync(AcknowledgementTopic, some)));

    public Task PublishHintAsync(GenerationId key) => _bus.PublishAsync(HintTopic, key.Value);

    private bool OnEntry(string[] words)
    {
        if (words is not [var id, var text] || ParseKey(id) is not { } key || ParseEntry(key, text) is not { } entry)
        {
            return false;
        }

        EntryReceived?.Invoke(entry);
        return true;
    }

    private bool OnTargets(string[] words)
    {
        if (words is not [var replica, .. var texts] || !IsReplicaId(replica))
        {
            return false;
        }

        var targets = new List<AnnouncedTarget>(texts.Length);
        foreach (var text in texts)
        {
            if (text.Split(':', 3) is not [var id, [var stateCode]]
                || !GenerationSnapshot.StateCodes.Contains(stateCode, StringComparison.Ordinal)
                || ParseKey(id) is not { } key)
            {
                return false;
            }

            targets.Add(new AnnouncedTarget(key, stateCode));
        }

        if (replica != ReplicaId)
        {
            TargetsAnnounced?.Invoke(replica, targets);
        }

        return true;
    }

    private bool OnAcknowledgement(string[] replicas)
    {
        if (!replicas.All(IsReplicaId))
        {
            return false;
        }

        Acknowledged?.Invoke(replicas);
        return true;
    }

    private bool OnHint(string[] words)
    {
        if (words is not [var id] || ParseKey(id) is not { } key)
        {
            return false;
        }

        HintReceived?.Invoke(key);
        return true;
    }

    private static bool IsReplicaId(string text) => text.Length == ReplicaIdLength && text.All(char.IsAsciiHexDigitLower);

    private static GenerationId? ParseKey(string text) => GenerationId.TryParse(text, null, out var id) ? id : null;

    /// <summary>Applies the same limits to the entry's times as a read from Redis does.</summary>
    private CacheEntry? ParseEntry(GenerationId key, string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var length) && CacheEntryFormat.Read(key, bytes.AsSpan(0, length)) is { } entry
            ? _limits.Clamp(entry, _clock.GetUtcNow())
            : null;
    }
}
