using System.Text.Json;
using LumaGateway.Access;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Time;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;

namespace LumaGateway.Generations;

/// <summary>Reads one generation: from the cache, else from the upstream, once for all who ask. Thread-safe.</summary>
internal sealed class GenerationReader
{
    private readonly ResponseCache _cache;
    private readonly UpstreamClient _upstream;
    private readonly FreshnessOptions _freshness;
    private readonly PublishedLinks _links;
    private readonly TimeProvider _clock;
    private readonly bool _signsUrls;
    private readonly Origin _origin;

    public GenerationReader(
        ResponseCache cache,
        UpstreamClient upstream,
        UpstreamDialect dialect,
        IOptions<LumaOptions> luma,
        IOptions<FreshnessOptions> freshness,
        PublishedLinks links,
        TimeProvider clock)
    {
        (_cache, _upstream, _freshness, _links, _clock) = (cache, upstream, freshness.Value, links, clock);
        _signsUrls = dialect.Configured.SignsUrls;
        _origin = new Origin(FetchAsync, luma.Value.Deadline);
    }

    /// <summary>An answer that did not come from this process's memory, whoever asked for it and whatever it is.</summary>
    public event Action<CacheEntry>? Learned;

    /// <summary>As <see cref="ResponseCache.Peek"/>. Null also where memory knows that there is no such generation.</summary>
    public CacheEntry? Peek(GenerationId id, DateTimeOffset now) =>
        _cache.Peek(new CacheKey(id.Value), now) is { Kind: not EntryKind.Absent } entry ? entry : null;

    /// <inheritdoc cref="ResponseCache.Give"/>
    public CacheResult Give(CacheEntry entry) => _cache.Give(entry);

    /// <summary>The answer, which may be an old one that covers a fault. Throws <see cref="UpstreamException"/> where there is none.</summary>
    /// <param name="id">The generation.</param>
    /// <param name="requestId">The request for which it is read.</param>
    /// <param name="payer">Who is charged for the exchange with the upstream, if this read begins one; null: nobody.</param>
    /// <param name="cancellationToken">Frees this caller only: the exchange goes on.</param>
    public ValueTask<CacheResult> ReadAsync(GenerationId id, string requestId, RateLimitLease? payer, CancellationToken cancellationToken)
    {
        var reading = _cache.GetAsync(new CacheKey(id.Value), OriginFor(payer), requestId, cancellationToken);
        return reading.IsCompletedSuccessfully ? ValueTask.FromResult(Taken(reading.GetAwaiter().GetResult())) : AwaitAsync(reading);

        async ValueTask<CacheResult> AwaitAsync(ValueTask<CacheResult> reading) => Taken(await reading);

        CacheResult Taken(CacheResult answer)
        {
            if (answer is { Entry: { } entry, Level: not CacheTier.Memory })
            {
                Learned?.Invoke(entry);
            }

            return Usable(answer);
        }
    }

    /// <summary>The answer with newer links than <paramref name="outdated"/> has, asked for past the cache. Throws as <see cref="ReadAsync"/> does.</summary>
    public async Task<CacheResult> RenewAsync(CacheEntry outdated, string requestId, RateLimitLease? payer, CancellationToken cancellationToken) =>
        Usable(await _cache.RenewAsync(outdated, OriginFor(payer), requestId, cancellationToken));

    /// <summary>The generation with the upstream's own links, whatever links the answer gives.</summary>
    public static Generation OriginalOf(CacheEntry entry) =>
        JsonSerializer.Deserialize(entry.Side.Length > 0 ? entry.Side : entry.Body, ContractsJson.Web.Generation)!;

    /// <summary>What to give <see cref="LearnAsync"/> later; null where an answer that passes by would teach nothing.</summary>
    public FetchStart? BeginLearning(GenerationId id) => _cache.Holds(new CacheKey(id.Value)) ? null : BeginAsking();

    /// <summary>To be called before an exchange whose answer is kept by <see cref="KeepAsync"/> or <see cref="LearnAsync"/>.</summary>
    public FetchStart BeginAsking() => new(_cache.Purges, _clock.GetUtcNow());

    /// <summary>Keeps what the upstream answered to somebody else, if it is final. Never throws.</summary>
    public async Task LearnAsync(GenerationId id, ReadOnlyMemory<byte> body, FetchStart begun)
    {
        try
        {
            var entry = EntryOf(new CacheKey(id.Value), _upstream.ReadProxied(id, body).Generation, begun.At);
            if (entry.Kind is EntryKind.Final && await _cache.OfferAsync(entry, begun.Purges) is { } kept)
            {
                Learned?.Invoke(kept); // somebody may wait for it
            }
        }
        catch (UpstreamException)
        {
            // Whoever asked has it byte for byte; there is nothing to learn from it.
        }
    }

    /// <summary>
    /// Asks anew where what is known is unfinished and older than <paramref name="notBefore"/>. That there is no such generation is an answer
    /// here. Throws <see cref="UpstreamException"/> where there is none.
    /// </summary>
    public async Task<CacheResult> RefreshAsync(GenerationId id, string requestId, DateTimeOffset notBefore)
    {
        var answer = await _cache.RefreshAsync(new CacheKey(id.Value), _origin, requestId, notBefore);
        return answer.Entry is not null ? answer : throw new UpstreamException(answer.Fault!.Fault, answer.Fault.Message) { RetryAfter = answer.Fault.RetryAfter };
    }

    /// <summary>
    /// Keeps an answer that came with others. Gives back what is kept now; null where the generation may have been purged or deleted since the list was asked for.
    /// </summary>
    /// <param name="answer">The generation, as the upstream's list has it.</param>
    /// <param name="begun">From before the list was asked for.</param>
    public Task<CacheEntry?> KeepAsync(Generation answer, FetchStart begun) =>
        _cache.OfferAsync(EntryOf(new CacheKey(answer.Id), answer, begun.At), begun.Purges);

    /// <summary>What is at hand without asking the upstream.</summary>
    public ValueTask<CacheEntry?> FindAsync(GenerationId id) => _cache.FindAsync(new CacheKey(id.Value));

    /// <summary>Forgets the answer on all replicas. False where Redis is configured but did not confirm.</summary>
    public Task<bool> ForgetAsync(GenerationId id) => _cache.PurgeAsync(new CacheKey(id.Value));

    /// <summary>A fault is shared by all who waited: each gets an exception of its own.</summary>
    private static CacheResult Usable(CacheResult answer) => answer switch
    {
        { Entry: null, Fault: { } fault } => throw new UpstreamException(fault.Fault, fault.Message) { RetryAfter = fault.RetryAfter },
        { Entry.Kind: EntryKind.Absent } => throw new UpstreamException(UpstreamFault.NotFound, "The upstream does not know the id."),
        _ => answer,
    };

    private Origin OriginFor(RateLimitLease? payer) => payer is null ? _origin : ChargedTo(payer);

    private Origin ChargedTo(RateLimitLease payer) => _origin with
    {
        FetchAsync = (key, requestId, deadline) =>
        {
            payer.ChargeFetch(); // before it begins: a caller that hangs up has caused it all the same
            return FetchAsync(key, requestId, deadline);
        },
    };

    private async Task<CacheEntry> FetchAsync(CacheKey key, string requestId, Deadline deadline)
    {
        var askedAt = _clock.GetUtcNow();
        try
        {
            var answer = await _upstream.GetAsync(GenerationId.Parse(key.Id, null), requestId, deadline);
            return EntryOf(key, answer.Generation, askedAt);
        }
        catch (UpstreamException exception) when (exception.Fault is UpstreamFault.NotFound)
        {
            // An answer like any other, kept so briefly that it hides no id that was just created.
            var now = _clock.GetUtcNow();
            return new CacheEntry(key, EntryKind.Absent, [], now, now + _freshness.NotFound, now, askedAt: askedAt);
        }
    }

    private CacheEntry EntryOf(CacheKey key, Generation generation, DateTimeOffset askedAt)
    {
        var now = _clock.GetUtcNow();
        var freshness = GenerationFreshness.Of(generation, _signsUrls, now, Random.Shared.NextDouble(), _freshness);
        var freshUntil = now + freshness.For;

        var published = _links.Publish(generation);

        return new CacheEntry(
            key,
            freshness.IsFinal ? EntryKind.Final : EntryKind.Interim,
            Written(published),
            now,
            freshUntil,
            freshness.IsFinal ? freshUntil + _freshness.Stale : freshUntil,
            ReferenceEquals(published, generation) ? null : Written(generation),
            askedAt);
    }

    private static byte[] Written(Generation generation) => JsonSerializer.SerializeToUtf8Bytes(generation, ContractsJson.Web.Generation);
}

/// <summary>What is known before an exchange with the upstream begins, and needed to judge its answer afterwards.</summary>
/// <param name="Purges"><see cref="ResponseCache.Purges"/> then.</param>
/// <param name="At">The time then.</param>
internal readonly record struct FetchStart(long Purges, DateTimeOffset At);
