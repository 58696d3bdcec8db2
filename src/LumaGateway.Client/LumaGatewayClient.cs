using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using LumaGateway.Contracts;

namespace LumaGateway.Client;

/// <summary>
/// Calls a LumaGateway. A call is retried after transient faults for <see cref="LumaGatewayClientOptions.RetryFor"/>, a create for
/// <see cref="LumaGatewayClientOptions.CreateRetryFor"/>, and waits as long as <c>Retry-After</c> says.
/// It fails with a <see cref="LumaGatewayException"/>, or with an <see cref="ArgumentException"/> if an id or a filter is malformed. Thread-safe: one instance serves a process.
/// </summary>
public sealed class LumaGatewayClient
{
    /// <summary>The name of the activity source: one span for each call.</summary>
    public const string ActivitySourceName = GatewayTransport.ClientName;

    /// <summary>The gateway's default of <c>Batch:MaxIds</c>.</summary>
    private const int MaxBatch = 50;
    private const int MaxWait = 50; // seconds of one long poll, the default of Waiting:Longest: a lost connection must not take the whole wait

    /// <summary>The gateway's rule for a key.</summary>
    private const int MaxKeyLength = 255;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly GatewayTransport _transport;

    internal LumaGatewayClient(GatewayTransport transport) => _transport = transport;

    /// <summary>Reads a generation as it is now.</summary>
    public Task<Generation> GetAsync(string id, CancellationToken cancellationToken = default)
    {
        var path = PathOf(id);
        return CallAsync("get", id, () => new(HttpMethod.Get, path), ResponseReader.ReadGenerationAsync, cancellationToken);
    }

    /// <summary>Reads several generations, each once, in the order of the ids. More than 50 ids are read 50 at a time.</summary>
    public async Task<IReadOnlyList<BatchItem>> GetManyAsync(IEnumerable<string> ids, CancellationToken cancellationToken = default)
    {
        var all = ids.Select(id => ValidId(id).Value).Distinct(StringComparer.Ordinal).ToList();
        var results = new List<BatchItem>(all.Count);
        foreach (var some in all.Chunk(MaxBatch))
        {
            results.AddRange(await CallAsync("get_many", null, () => new(HttpMethod.Get, $"generations?ids={string.Join(',', some)}"), ResponseReader.ReadBatchAsync, cancellationToken));
        }

        return results;
    }

    /// <summary>
    /// Waits until a generation is completed or failed, with long polls in turn. Resumes after transient faults, and over restarts of the gateway.
    /// </summary>
    /// <param name="id">The generation.</param>
    /// <param name="timeout">The longest wait. The call takes up to <see cref="LumaGatewayClientOptions.AttemptTimeout"/> more if the gateway does not respond.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The generation as it was at the end: check <see cref="Generation.IsFinal"/>. A fault that still holds at the end is thrown.</returns>
    public async Task<Generation> WaitAsync(string id, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        var path = PathOf(id);
        using var call = GatewayTransport.StartCall("wait", id);
        var start = _transport.Clock.GetTimestamp();
        while (true)
        {
            var (generation, pause) = await _transport.RetryAsync(() => PollAsync(path, Remaining(), cancellationToken), Remaining(), call, cancellationToken);
            var remaining = Remaining();
            if (generation.IsFinal || remaining < Second)
            {
                return generation;
            }

            await Task.Delay(pause < remaining ? pause : remaining, _transport.Clock, cancellationToken);
        }

        TimeSpan Remaining() => timeout - _transport.Clock.GetElapsedTime(start);
    }

    /// <summary>
    /// Follows a generation: its current state, then every change, until it is completed or failed. Resumes where the stream broke off; no state comes twice.
    /// </summary>
    public async IAsyncEnumerable<Generation> FollowAsync(string id, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var valid = ValidId(id).Value;
        using var call = GatewayTransport.StartCall("follow", id);
        await using var states = new StateStream(_transport, $"generations/{valid}/events", [valid], call);
        while (await states.NextAsync(cancellationToken) is { } item)
        {
            if (item.Generation is { } generation)
            {
                yield return generation;
            }
        }
    }

    /// <summary>
    /// Follows several generations: their current states, then every change, until each is completed, failed or unknown. The states come in any order of the ids. Resumes where
    /// the stream broke off; no state of a generation comes twice in a row. An unknown id is an item with its <see cref="BatchItem.Problem"/>; the others are not affected.
    /// </summary>
    /// <param name="ids">
    /// The generations; a repeated id counts once. At most the gateway's <c>Batch:MaxIds</c>, by default 50: more fail with the code <c>invalid_request</c>. None end at once.
    /// </param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async IAsyncEnumerable<BatchItem> FollowManyAsync(IEnumerable<string> ids, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var all = ids.Select(id => ValidId(id).Value).Distinct(StringComparer.Ordinal).ToList();
        if (all.Count == 0)
        {
            yield break;
        }

        using var call = GatewayTransport.StartCall("follow_many");
        await using var states = new StateStream(_transport, $"generations/events?ids={string.Join(',', all)}", all, call);
        while (await NextAsync() is { } item)
        {
            yield return item;
        }

        // With one id, the gateway responds with the problem instead of an event.
        async Task<BatchItem?> NextAsync()
        {
            try
            {
                return await states.NextAsync(cancellationToken);
            }
            catch (LumaGatewayException fault) when (all.Count == 1 && fault is { Code: "generation_not_found", Problem: { } problem })
            {
                states.End();
                return new BatchItem(all[0], null, problem);
            }
        }
    }

    /// <summary>Opens a file of a final generation. The caller disposes the result. An interim generation fails with the code <c>generation_unfinished</c>.</summary>
    /// <param name="id">The generation.</param>
    /// <param name="kind">Which file.</param>
    /// <param name="range">The bytes to send, in one range; null for the whole file.</param>
    /// <param name="cancellationToken">Ends the call, not the download.</param>
    public Task<LumaAsset> OpenAssetAsync(string id, AssetKind kind, RangeHeaderValue? range = null, CancellationToken cancellationToken = default) =>
        OpenAsync(id, NameOf(kind), range, cancellationToken);

    /// <summary>Opens the file of one output by its index in <see cref="Generation.Outputs"/>. See <see cref="OpenAssetAsync"/>.</summary>
    public Task<LumaAsset> OpenOutputAsync(string id, int index, RangeHeaderValue? range = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        return OpenAsync(id, $"outputs/{index}", range, cancellationToken);
    }

    /// <summary>
    /// Creates a generation with a new idempotency key. After a fault, repeat the create with <see cref="LumaGatewayException.IdempotencyKey"/>:
    /// another call of this method has another key and may create and bill a second generation. To repeat a create after a cancellation or a restart of the
    /// caller, pass a key of your own.
    /// </summary>
    public Task<Generation> CreateAsync(CreateGenerationRequest request, CancellationToken cancellationToken = default) =>
        CreateAsync(request, Guid.NewGuid().ToString(), cancellationToken);

    /// <summary>
    /// Creates a generation, once for each key: all attempts of a call and all calls with one key get the same generation, for the gateway's
    /// <c>Passthrough:IdempotencyLifetime</c> (24 h). A create is retried for <see cref="LumaGatewayClientOptions.CreateRetryFor"/>.
    /// </summary>
    /// <remarks>
    /// A call that fails after it was sent, or is cancelled, may have created a generation, whatever the code. Repeat it with the same key and the same request.
    /// The codes <c>outcome_unknown</c> and <c>create_outcome_unknown</c> are final: check whether the generation exists before you use a new key.
    /// </remarks>
    /// <param name="request">What to create.</param>
    /// <param name="idempotencyKey">The caller's own key for this create, 1 to 255 visible ASCII characters.</param>
    /// <param name="cancellationToken">Ends the call, not a create that was sent.</param>
    public Task<Generation> CreateAsync(CreateGenerationRequest request, string idempotencyKey, CancellationToken cancellationToken = default) =>
        CreateAsync(request, idempotencyKey, null, cancellationToken);

    /// <summary>
    /// Creates a generation on an upstream account of the gateway (<c>X-Luma-Account</c>), once for each key. Fails with the code <c>unknown_account</c> if the gateway has no
    /// account of this name or the client has another account of its own, and with <c>account_draining</c> if the account accepts no creates.
    /// </summary>
    /// <remarks>The account is no part of the key: a repetition with the same key and another account gets the generation of the first create.</remarks>
    /// <param name="request">What to create.</param>
    /// <param name="idempotencyKey">The caller's own key for this create, 1 to 255 visible ASCII characters.</param>
    /// <param name="account">The name of the account, visible ASCII characters; null lets the gateway choose one.</param>
    /// <param name="cancellationToken">Ends the call, not a create that was sent.</param>
    public async Task<Generation> CreateAsync(CreateGenerationRequest request, string idempotencyKey, string? account, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(idempotencyKey);
        if (idempotencyKey.Length > MaxKeyLength || !LumaGatewayClientOptions.IsVisibleAscii(idempotencyKey))
        {
            throw new ArgumentException($"An idempotency key has 1 to {MaxKeyLength} visible ASCII characters.", nameof(idempotencyKey));
        }

        if (account is not null && !LumaGatewayClientOptions.IsVisibleAscii(account))
        {
            throw new ArgumentException("The name of an account has visible ASCII characters.", nameof(account));
        }

        var options = _transport.Options;
        try
        {
            return await RetryAsync(
                "create", null, () => _transport.SendOnceAsync(Create, ResponseReader.ReadGenerationAsync, options.AttemptTimeout, cancellationToken), options.CreateRetryFor, cancellationToken);
        }
        catch (LumaGatewayException fault)
        {
            fault.IdempotencyKey = idempotencyKey;
            throw;
        }

        HttpRequestMessage Create()
        {
            var create = new HttpRequestMessage(HttpMethod.Post, "generations")
            {
                Headers = { { "Idempotency-Key", idempotencyKey } },
                Content = JsonContent.Create(request, ClientJson.Default.CreateGenerationRequest),
            };
            if (account is not null)
            {
                create.Headers.Add("X-Luma-Account", account);
            }

            return create;
        }
    }

    /// <summary>Deletes or cancels a generation. Fails with the code <c>generation_not_found</c> also if an attempt whose response was lost has deleted it.</summary>
    public Task DeleteAsync(string id, CancellationToken cancellationToken = default)
    {
        var path = PathOf(id);
        return CallAsync("delete", id, () => new(HttpMethod.Delete, path), (_, _) => Task.FromResult(true), cancellationToken);
    }

    /// <summary>
    /// Lists the creates of the client's group, newest first, of all pages. Reads the next page when the caller gets to it. Each page is retried by itself. Fails with the code
    /// <c>ledger_unavailable</c> if the gateway's ledger does not respond.
    /// </summary>
    /// <param name="filter">Which jobs; null for all.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async IAsyncEnumerable<JobSummary> ListJobsAsync(JobFilter? filter = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        for (string? cursor = null, next; ; cursor = next)
        {
            (var jobs, next) = await GetJobPageAsync(filter, cursor, cancellationToken);
            foreach (var job in jobs)
            {
                yield return job;
            }

            if (next is null)
            {
                yield break;
            }
        }
    }

    /// <summary>
    /// Reads one page of <see cref="ListJobsAsync"/>. A page can have fewer jobs than <see cref="JobFilter.PageSize"/>, or none, although others follow: the last page is the one
    /// whose <see cref="JobList.NextCursor"/> is null.
    /// </summary>
    /// <param name="filter">Which jobs; null for all. The same for each page of a list.</param>
    /// <param name="cursor"><see cref="JobList.NextCursor"/> of the previous page; null for the first page. Another text fails with the code <c>invalid_request</c>.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public Task<JobList> GetJobPageAsync(JobFilter? filter = null, string? cursor = null, CancellationToken cancellationToken = default)
    {
        var path = (filter ?? new JobFilter()).ToPath(cursor);
        return CallAsync("list_jobs", null, () => new(HttpMethod.Get, path), ResponseReader.ReadJobsAsync, cancellationToken);
    }

    /// <summary>
    /// Removes a generation from the gateway's cache, on all replicas: the next read goes to the upstream. The generation itself is not deleted. Requires the permission
    /// <c>purge</c>. Fails with the code <c>cache_unavailable</c> if the gateway's Redis does not confirm the purge.
    /// </summary>
    public Task PurgeAsync(string id, CancellationToken cancellationToken = default)
    {
        var path = $"{PathOf(id)}/cache";
        return CallAsync("purge", id, () => new(HttpMethod.Delete, path), (_, _) => Task.FromResult(true), cancellationToken);
    }

    /// <summary>Creates a ticket, with which a browser reads the events and files of one generation. Fails with the code <c>not_found</c> if the gateway has none.</summary>
    public Task<GenerationTicket> CreateTicketAsync(string id, CancellationToken cancellationToken = default)
    {
        var path = $"{PathOf(id)}/ticket";
        return CallAsync("create_ticket", id, () => new(HttpMethod.Post, path), ResponseReader.ReadTicketAsync, cancellationToken);
    }

    private Task<LumaAsset> OpenAsync(string id, string file, RangeHeaderValue? range, CancellationToken cancellationToken)
    {
        var path = $"{PathOf(id)}/{file}";
        var options = _transport.Options;
        return RetryAsync("open_asset", id, () => _transport.SendAsync(Create, ReadAsync, options.AttemptTimeout, cancellationToken), options.RetryFor, cancellationToken);

        HttpRequestMessage Create() => new(HttpMethod.Get, path) { Headers = { Range = range } };

        async Task<LumaAsset> ReadAsync(HttpResponseMessage response, CancellationToken token) =>
            new(response, new IdleTimeoutStream(await response.Content.ReadAsStreamAsync(token), options.StreamIdleTimeout, _transport.Clock));
    }

    private static string NameOf(AssetKind kind) => kind switch
    {
        AssetKind.Video => "video",
        AssetKind.Image => "image",
        AssetKind.Thumbnail => "thumbnail",
        AssetKind.LastFrame => "last_frame",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static string PathOf(string id) => $"generations/{ValidId(id)}";

    /// <summary>The gateway's own rule. It keeps an id from becoming another path.</summary>
    private static GenerationId ValidId(string id) =>
        GenerationId.TryParse(id, null, out var valid) ? valid : throw new ArgumentException(GenerationId.Rule, nameof(id));

    /// <summary>Sends one long poll. The pause is the time until the next one: zero if the gateway applied the wait and took at least one second.</summary>
    private Task<(Generation Generation, TimeSpan Pause)> PollAsync(string path, TimeSpan remaining, CancellationToken cancellationToken)
    {
        var wait = Math.Max(0, (int)Math.Min(remaining.TotalSeconds, MaxWait));
        var start = _transport.Clock.GetTimestamp();
        return _transport.SendOnceAsync(Create, ReadAsync, _transport.Options.AttemptTimeout + TimeSpan.FromSeconds(wait), cancellationToken);

        HttpRequestMessage Create() => new(HttpMethod.Get, path) { Headers = { { "Prefer", $"wait={wait}" } } };

        async Task<(Generation, TimeSpan)> ReadAsync(HttpResponseMessage response, CancellationToken token) => (
            await ResponseReader.ReadGenerationAsync(response, token),
            _transport.Clock.GetElapsedTime(start) >= Second && response.Headers.Contains("Preference-Applied") ? TimeSpan.Zero : LumaGatewayException.RetryAfterOf(response, _transport.Clock.GetUtcNow()) ?? Second);
    }

    private Task<T> CallAsync<T>(
        string operation, string? id, Func<HttpRequestMessage> create, Func<HttpResponseMessage, CancellationToken, Task<T>> read, CancellationToken cancellationToken) =>
        RetryAsync(operation, id, () => _transport.SendOnceAsync(create, read, _transport.Options.AttemptTimeout, cancellationToken), _transport.Options.RetryFor, cancellationToken);

    private async Task<T> RetryAsync<T>(string operation, string? id, Func<Task<T>> attempt, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var call = GatewayTransport.StartCall(operation, id);
        return await _transport.RetryAsync(attempt, limit, call, cancellationToken);
    }
}
