using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Callers that create with an <c>Idempotency-Key</c>, and repeat themselves on another replica until they know how it went. Thread-safe.</summary>
internal sealed class Creators(Exchange exchange, Faults faults, Findings findings, string name, TimeProvider clock)
{
    private const int Tries = 4;
    private const int KeptIds = 30;

    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, (long From, long Until)> _keys = new();
    private readonly ConcurrentDictionary<string, ConcurrentQueue<string>> _named = new();
    private readonly ConcurrentQueue<string> _ids = new();

    /// <summary>One of the generations that were created last; null before there is one.</summary>
    public string? Latest(int draw) => _ids.ToArray() is { Length: > 0 } ids ? ids[draw % ids.Length] : null;

    public async Task<HttpResponseMessage> CreateAsync(int number)
    {
        var key = $"create-{name}{number}";
        var from = clock.GetTimestamp();
        Records.Begin(key);
        try
        {
            return await RepeatAsync(key, number, from) ?? throw new HttpRequestException("Nobody answered.");
        }
        finally
        {
            Records.End(key);
        }
    }

    /// <summary>How many generations were made under each key, by the sandbox's own list. Only while nothing is wrong.</summary>
    public async Task CheckAsync(SandboxProcess sandbox, string token)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = sandbox.Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        var made = new Dictionary<string, int>();
        var keyOf = new Dictionary<string, string>();
        for (var (offset, hasMore) = (0, true); hasMore; offset += 100)
        {
            var page = await client.GetFromJsonAsync<JsonElement>(
                new Uri($"/dream-machine/v1/generations?limit=100&offset={offset}", UriKind.Relative), TestContext.Current.CancellationToken);
            foreach (var generation in page.GetProperty("generations").EnumerateArray())
            {
                var prompt = generation.GetProperty("request").GetProperty("prompt").GetString()!;
                made[prompt] = made.GetValueOrDefault(prompt) + 1;
                keyOf[generation.GetProperty("id").GetString()!] = prompt;
            }

            hasMore = page.GetProperty("has_more").GetBoolean();
        }

        foreach (var (key, (from, until)) in _keys)
        {
            CreateBounds.CheckCount(key, made.GetValueOrDefault(key), Records.DeletionOf(key), faults.Redis.MayHaveForgotten(from, until), findings);
            CreateBounds.CheckNamed(key, _named.GetValueOrDefault(key) ?? [], keyOf, findings);
        }
    }

    private CreateRecords Records => faults.Shared.Records;

    /// <summary>A record that was deleted while its create ran cannot be written again while Redis is full.</summary>
    private bool MayBeForgotten(string key, long from) =>
        faults.Redis.MayHaveForgotten(from, clock.GetTimestamp()) || (Records.DeletionOf(key) is not Deletion.None && !faults.Redis.WasAtPeaceSince(from));

    /// <summary>The last response.</summary>
    private async Task<HttpResponseMessage?> RepeatAsync(string key, int number, long from)
    {
        string? first = null;
        HttpResponseMessage? response = null;
        for (var i = 0; i < Tries; i++)
        {
            response?.Dispose();
            response = await TryAsync(key, number + i);
            _keys[key] = (from, clock.GetTimestamp());
            if (response?.StatusCode is HttpStatusCode.OK)
            {
                var told = (await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("id").GetString()!;
                _named.GetOrAdd(key, _ => new ConcurrentQueue<string>()).Enqueue(told);
                if (first is not null)
                {
                    CreateBounds.CheckRepetition(key, first, told, Records.DeletionOf(key), MayBeForgotten(key, from), findings);
                    break; // it was repeated although it was known
                }

                first = told;
                Keep(told);
                if (number % 3 != 0 && !Records.AreDeleted)
                {
                    break;
                }
            }

            await Wait.ForAsync(Between);
        }

        return response;
    }

    private async Task<HttpResponseMessage?> TryAsync(string key, int number)
    {
        try
        {
            if (Records.AreDeleted)
            {
                await faults.Shared.SlowOneCreateAsync();
            }

            var (_, _, address) = exchange.Choose(number);
            Records.Sends(key, isUnderWay: true);
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(address, "/luma/generations")) { Content = JsonContent.Create(new { prompt = key }) };
            request.Headers.Add("Idempotency-Key", key);
            var response = await exchange.SendAsync(request);
            var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            findings.Check(Invariant.NoInternalError, !body.Contains("internal_error", StringComparison.Ordinal), () => $"{key}: {body}"); // the upstream's own 500 passes
            findings.Check(Invariant.OneCreatePerKey, !body.Contains("idempotency_key_reused", StringComparison.Ordinal), () => $"{key} was taken for another create's: {body}");
            return response;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException && !TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            Records.Sends(key, isUnderWay: false);
        }
    }

    private void Keep(string id)
    {
        _ids.Enqueue(id);
        while (_ids.Count > KeptIds)
        {
            _ids.TryDequeue(out _);
        }
    }
}
