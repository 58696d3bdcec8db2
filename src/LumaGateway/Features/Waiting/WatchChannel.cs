using LumaGateway.Caching;
using LumaGateway.Sharing;

namespace LumaGateway.Features.Waiting;

/// <summary>What replicas tell each other of what their callers wait for. Hints: any may be lost. Nothing said ever throws.</summary>
internal sealed class WatchChannel
{
    private const string Change = "change";
    private const string Want = "want";
    private const string Lead = "lead";
    private const string Nudge = "nudge";

    /// <summary>Names so many keys in one message at most.</summary>
    private const int MostWants = 500;

    private readonly FleetChannel _fleet;

    public WatchChannel(FleetChannel fleet)
    {
        _fleet = fleet;
        fleet.Listen(Change, HearChange);
        fleet.Listen(Want, HearWants);
        fleet.Listen(Lead, replicas => Led?.Invoke(replicas));
        fleet.Listen(Nudge, HearNudge);
    }

    /// <summary>A replica has an answer that others wait for.</summary>
    public event Action<CacheEntry>? Changed;

    /// <summary>Another replica waits for keys: its name, then <c>key:what it knows</c> for each.</summary>
    public event Action<string, IReadOnlyList<string>>? Wanted;

    /// <summary>Another replica, or this one, looks after what the replicas of these names wait for.</summary>
    public event Action<IReadOnlyList<string>>? Led;

    /// <summary>There may be news of a key.</summary>
    public event Action<CacheKey>? Nudged;

    /// <summary>This process, as long as it lives.</summary>
    public string Self { get; } = Guid.NewGuid().ToString("N")[..12];

    public Task SayChangedAsync(CacheEntry entry) => _fleet.SayAsync(Change, entry.Subject.Id, Convert.ToBase64String(CacheEntryFormat.Write(entry)));

    public Task SayWantedAsync(IEnumerable<string> wants) =>
        Task.WhenAll(wants.Chunk(MostWants).Select(some => _fleet.SayAsync(Want, [Self, .. some])));

    public Task SayLedAsync(IEnumerable<string> replicas) => _fleet.SayAsync(Lead, replicas);

    public Task SayNudgedAsync(CacheKey key) => _fleet.SayAsync(Nudge, key.Id);

    private void HearChange(string[] words)
    {
        if (words is [var id, var text] && Understand(new CacheKey(id), text) is { } entry)
        {
            Changed?.Invoke(entry);
        }
    }

    private void HearWants(string[] words)
    {
        if (words is [var replica, .. var wants] && replica != Self)
        {
            Wanted?.Invoke(replica, wants);
        }
    }

    private void HearNudge(string[] words)
    {
        if (words is [var id])
        {
            Nudged?.Invoke(new CacheKey(id));
        }
    }

    private static CacheEntry? Understand(CacheKey key, string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var length) ? CacheEntryFormat.Read(key, bytes.AsSpan(0, length)) : null;
    }
}
