using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.LongPolling;
using LumaGateway.Redis;

namespace LumaGateway.Polling;

/// <summary>A generation that a replica waits for, and what it knows of it.</summary>
/// <param name="Key">Which.</param>
/// <param name="Known"><see cref="GenerationSnapshot.Letter"/>, or <see cref="PollTarget.Unknown"/>.</param>
internal readonly record struct Want(CacheKey Key, char Known);

/// <summary>
/// What replicas tell each other of what their callers wait for. Hints: any may be lost. Nothing said ever throws. A message that holds anything but what a replica
/// writes is dropped as a whole.
/// </summary>
internal sealed class PollingMessages
{
    private const string Change = "change";
    private const string Wants = "want";
    private const string Lead = "lead";
    private const string Nudge = "nudge";

    /// <summary>Names so many keys, or replicas, in one message at most.</summary>
    private const int MostNames = ReplicaBus.MaxWords - 1;

    private const int SelfLength = 12;

    private readonly ReplicaBus _fleet;
    private readonly EntryLimits _limits;
    private readonly TimeProvider _clock;

    public PollingMessages(ReplicaBus fleet, EntryLimits limits, TimeProvider clock)
    {
        (_fleet, _limits, _clock) = (fleet, limits, clock);
        fleet.Subscribe(Change, HearChange);
        fleet.Subscribe(Wants, HearWants);
        fleet.Subscribe(Lead, HearLead);
        fleet.Subscribe(Nudge, HearNudge);
    }

    /// <summary>A replica has an answer that others wait for.</summary>
    public event Action<CacheEntry>? Changed;

    /// <summary>Another replica, of this name, waits for generations.</summary>
    public event Action<string, IReadOnlyList<Want>>? Wanted;

    /// <summary>Another replica, or this one, looks after what the replicas of these names wait for.</summary>
    public event Action<IReadOnlyList<string>>? Led;

    /// <summary>There may be news of a key.</summary>
    public event Action<CacheKey>? Nudged;

    /// <summary>This process, as long as it lives.</summary>
    public string Self { get; } = Guid.NewGuid().ToString("N")[..SelfLength];

    public Task SayChangedAsync(CacheEntry entry) => _fleet.PublishAsync(Change, entry.Key.Id, Convert.ToBase64String(CacheEntryFormat.Write(entry)));

    public Task SayWantedAsync(IEnumerable<Want> wants) =>
        Task.WhenAll(wants.Chunk(MostNames).Select(some => _fleet.PublishAsync(Wants, [Self, .. some.Select(want => $"{want.Key}:{want.Known}")])));

    public Task SayLedAsync(IEnumerable<string> replicas) => Task.WhenAll(replicas.Chunk(MostNames).Select(some => _fleet.PublishAsync(Lead, some)));

    public Task SayNudgedAsync(CacheKey key) => _fleet.PublishAsync(Nudge, key.Id);

    private bool HearChange(string[] words)
    {
        if (words is not [var id, var text] || KeyOf(id) is not { } key || Understand(key, text) is not { } entry)
        {
            return false;
        }

        Changed?.Invoke(entry);
        return true;
    }

    private bool HearWants(string[] words)
    {
        if (words is not [var replica, .. var texts] || !IsName(replica))
        {
            return false;
        }

        var wants = new List<Want>(texts.Length);
        foreach (var text in texts)
        {
            if (text.Split(':', 3) is not [var id, [var known]] || !EventIds.Letters.Contains(known, StringComparison.Ordinal) || KeyOf(id) is not { } key)
            {
                return false;
            }

            wants.Add(new Want(key, known));
        }

        if (replica != Self)
        {
            Wanted?.Invoke(replica, wants);
        }

        return true;
    }

    private bool HearLead(string[] replicas)
    {
        if (!replicas.All(IsName))
        {
            return false;
        }

        Led?.Invoke(replicas);
        return true;
    }

    private bool HearNudge(string[] words)
    {
        if (words is not [var id] || KeyOf(id) is not { } key)
        {
            return false;
        }

        Nudged?.Invoke(key);
        return true;
    }

    private static bool IsName(string replica) => replica.Length == SelfLength && replica.All(char.IsAsciiHexDigitLower);

    private static CacheKey? KeyOf(string text) => GenerationId.TryParse(text, null, out var id) ? new CacheKey(id.Value) : null;

    /// <summary>As an entry that is read from Redis, its times are held to the limits.</summary>
    private CacheEntry? Understand(CacheKey key, string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var length) && CacheEntryFormat.Read(key, bytes.AsSpan(0, length)) is { } entry
            ? _limits.Clamp(entry, _clock.GetUtcNow())
            : null;
    }
}
