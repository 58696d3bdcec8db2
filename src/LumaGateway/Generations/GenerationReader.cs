using System.Text.Json;
using LumaGateway.Access;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Upstreams;

namespace LumaGateway.Generations;

/// <summary>Reads generations from the cache, else from the upstream. Concurrent reads share one upstream request. Thread-safe.</summary>
internal sealed class GenerationReader(ResponseCache cache, GenerationSource source, AccountDirectory directory, TimeProvider clock)
{
    /// <summary>An entry of a forwarded response was stored.</summary>
    public event Action<CacheEntry>? ProxiedStored;

    /// <summary>The generation, possibly stale-if-error. Throws <see cref="UpstreamException"/> if there is no usable entry.</summary>
    /// <param name="id">The generation.</param>
    /// <param name="requestId">The caller's request.</param>
    /// <param name="lease">The lease that an upstream request is charged to, if this read starts one; null: no charge.</param>
    /// <param name="cancellationToken">Cancels the wait of this caller only; a started upstream request continues.</param>
    public ValueTask<CacheResult> ReadAsync(GenerationId id, string requestId, RateLimitLease? lease, CancellationToken cancellationToken)
    {
        var reading = cache.GetAsync(id, RequestOf(requestId, lease), cancellationToken);
        return reading.IsCompletedSuccessfully ? ValueTask.FromResult(EnsureUsable(reading.GetAwaiter().GetResult())) : AwaitAsync(reading);

        static async ValueTask<CacheResult> AwaitAsync(ValueTask<CacheResult> reading) => EnsureUsable(await reading);
    }

    /// <summary>The generation with newer links than <paramref name="outdated"/>, read past the cache. Throws as <see cref="ReadAsync"/> does.</summary>
    public async Task<CacheResult> RenewAsync(CacheEntry outdated, string requestId, RateLimitLease? lease, CancellationToken cancellationToken) =>
        EnsureUsable(await cache.RenewAsync(outdated, RequestOf(requestId, lease), cancellationToken));

    /// <summary>The generation with the upstream's links, also if the published body has the gateway's links.</summary>
    public static Generation OriginalOf(CacheEntry entry) =>
        JsonSerializer.Deserialize(entry.Metadata.Length > 0 ? entry.Metadata : entry.Body, ContractsJson.Web.Generation)!;

    /// <summary>As <see cref="StartFetch"/>, but null if a fresh final entry is in memory, so that nothing needs to be stored.</summary>
    public FetchStart? StartFetchUnlessFinal(GenerationId id) => cache.HasFreshFinal(id) ? null : StartFetch();

    /// <summary>To be called before an upstream request whose response is passed to <see cref="StoreListedAsync"/> or <see cref="StoreProxiedAsync"/>.</summary>
    public FetchStart StartFetch() => new(cache.Purges, clock.GetUtcNow());

    /// <summary>Stores the body of a proxied upstream response, if it is final. Does not throw <see cref="UpstreamException"/>.</summary>
    /// <param name="id">The generation.</param>
    /// <param name="body">The body of the response.</param>
    /// <param name="account">The account that returned it.</param>
    /// <param name="start">From before the request.</param>
    public async Task StoreProxiedAsync(GenerationId id, ReadOnlyMemory<byte> body, UpstreamAccount account, FetchStart start)
    {
        try
        {
            var entry = source.CreateEntry(id, account.Client.ReadProxied(id, body), account, start.At);
            directory.Remember(id, account);
            if (entry.Kind is EntryKind.Final && await cache.PutAsync(entry, start.Purges) is { } stored)
            {
                ProxiedStored?.Invoke(stored);
            }
        }
        catch (UpstreamException)
        {
            // The body cannot be read. Its caller has received it unchanged; nothing is stored.
        }
    }

    /// <summary>
    /// Reads from the upstream unless the cache has a final entry, or one requested at or after <paramref name="notBefore"/>. A generation that does not exist is a
    /// result here. Throws <see cref="UpstreamException"/> if there is no entry.
    /// </summary>
    public async Task<CacheResult> RefreshAsync(GenerationId id, string requestId, DateTimeOffset notBefore)
    {
        var result = await cache.RefreshAsync(id, new FetchRequest(requestId), notBefore);
        return result.Entry is not null ? result : throw new UpstreamException(result.Fault!.Fault, result.Fault.Message) { RetryAfter = result.Fault.RetryAfter };
    }

    /// <summary>
    /// Stores a generation of the upstream's list. Returns the entry that is stored now; null if a purge since <paramref name="start"/> makes the list too old.
    /// </summary>
    /// <param name="id">The generation.</param>
    /// <param name="generation">Its state in the upstream's list.</param>
    /// <param name="account">The account of the list.</param>
    /// <param name="start">From before the request of the list.</param>
    public Task<CacheEntry?> StoreListedAsync(GenerationId id, DialectResult generation, UpstreamAccount account, FetchStart start)
    {
        directory.Remember(id, account);
        return cache.PutAsync(source.CreateEntry(id, generation, account, start.At), start.Purges);
    }

    /// <summary>Creates a new exception for each caller: callers that shared the fetch share the fault.</summary>
    private static CacheResult EnsureUsable(CacheResult result) => result switch
    {
        { Entry: null, Fault: { } fault } => throw new UpstreamException(fault.Fault, fault.Message) { RetryAfter = fault.RetryAfter },
        { Entry.Kind: EntryKind.NotFound } => throw new UpstreamException(UpstreamFault.NotFound, "The upstream does not know the id."),
        _ => result,
    };

    private static FetchRequest RequestOf(string requestId, RateLimitLease? lease) => new(requestId, lease is null ? null : lease.ChargeFetch);
}

/// <summary>The state before an upstream request, which tells later whether its response may be stored.</summary>
/// <param name="Purges">The value of <see cref="ResponseCache.Purges"/> at that time.</param>
/// <param name="At">The time.</param>
internal readonly record struct FetchStart(long Purges, DateTimeOffset At);
