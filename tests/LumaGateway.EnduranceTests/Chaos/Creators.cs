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
    private readonly ConcurrentQueue<string> _ids = new();

    /// <summary>One of the generations that were created last; null before there is one.</summary>
    public string? Latest(int draw) => _ids.ToArray() is { Length: > 0 } ids ? ids[draw % ids.Length] : null;

    public async Task<HttpResponseMessage> CreateAsync(int number)
    {
        var key = $"create-{name}{number}";
        var from = clock.GetTimestamp();
        string? id = null;
        HttpResponseMessage? response = null;
        for (var i = 0; i < Tries; i++)
        {
            response?.Dispose();
            response = await TryAsync(key, number + i);
            _keys[key] = (from, clock.GetTimestamp());
            if (response?.StatusCode is HttpStatusCode.OK)
            {
                var told = (await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("id").GetString()!;
                findings.Check(
                    Invariant.OneCreatePerKey, id is null || id == told || MayHaveLostItsRecord(from, clock.GetTimestamp()), () => $"{key} was answered with {id}, then with {told}.");
                if (id is not null)
                {
                    break; // it was repeated although it was known
                }

                id = told;
                Keep(id);
                if (number % 3 != 0)
                {
                    break;
                }
            }

            await Wait.ForAsync(Between);
        }

        return response ?? throw new HttpRequestException("Nobody answered.");
    }

    /// <summary>How many generations were made under each key, by the sandbox's own list. Only while nothing is wrong.</summary>
    public async Task CheckAsync(SandboxProcess sandbox, string token)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = sandbox.Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        var made = new Dictionary<string, int>();
        for (var (offset, hasMore) = (0, true); hasMore; offset += 100)
        {
            var page = await client.GetFromJsonAsync<JsonElement>(
                new Uri($"/dream-machine/v1/generations?limit=100&offset={offset}", UriKind.Relative), TestContext.Current.CancellationToken);
            foreach (var generation in page.GetProperty("generations").EnumerateArray())
            {
                var prompt = generation.GetProperty("request").GetProperty("prompt").GetString()!;
                made[prompt] = made.GetValueOrDefault(prompt) + 1;
            }

            hasMore = page.GetProperty("has_more").GetBoolean();
        }

        foreach (var (key, (from, until)) in _keys)
        {
            var count = made.GetValueOrDefault(key);
            findings.Check(Invariant.OneCreatePerKey, count <= 1 || MayHaveLostItsRecord(from, until), () => $"{count} generations were made under the key {key}.");
        }
    }

    private bool MayHaveLostItsRecord(long from, long until) => faults.Redis.MayHaveForgotten(from, until) || faults.Shared.MayHaveDeletedRecords(from, until);

    private async Task<HttpResponseMessage?> TryAsync(string key, int number)
    {
        try
        {
            var (_, _, address) = exchange.Choose(number);
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(address, "/luma/generations")) { Content = JsonContent.Create(new { prompt = key }) };
            request.Headers.Add("Idempotency-Key", key);
            var response = await exchange.SendAsync(request);
            var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            findings.Check(Invariant.NoInternalError, !body.Contains("internal_error", StringComparison.Ordinal), () => $"{key}: {body}"); // the upstream's own 500 passes
            return response;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException && !TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            return null;
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
