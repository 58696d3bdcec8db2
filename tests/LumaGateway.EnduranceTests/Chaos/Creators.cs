using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>
/// Callers that create with an <c>Idempotency-Key</c> and repeat the request on another replica until they get an outcome. By turns, in the upstream's format under
/// <c>/luma</c> and in the gateway's own. Thread-safe.
/// </summary>
internal sealed class Creators(RequestSender sender, Faults faults, Findings findings, string name, TimeProvider clock)
{
    private const int Attempts = 4;
    private const int MaxIds = 30;
    private const string RawPath = "/luma/generations";
    private const string OwnPath = "/generations";

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, (long From, long Until)> _keys = new();
    private readonly ConcurrentDictionary<string, ConcurrentQueue<string>> _named = new();
    private readonly ConcurrentQueue<string> _ids = new();
    private readonly ConcurrentDictionary<string, int> _created = new();

    /// <summary>One of the latest created generations; null if there is none.</summary>
    public string? Latest(int draw) => _ids.ToArray() is { Length: > 0 } ids ? ids[draw % ids.Length] : null;

    public async Task<HttpResponseMessage> CreateAsync(int number)
    {
        var key = $"create-{name}{number}";
        var from = clock.GetTimestamp();
        var path = number % 2 == 0 ? RawPath : OwnPath;
        Records.Add(path, key);
        try
        {
            return await RepeatAsync(path, key, number, from) ?? throw new HttpRequestException("No replica returned a response.");
        }
        finally
        {
            Records.Complete(key);
        }
    }

    /// <summary>The number of keys with a response that names the generation, for the report.</summary>
    public override string ToString() => string.Join(", ", new[] { RawPath, OwnPath }.Select(path => $"{_created.GetValueOrDefault(path)} keys at {path}"));

    /// <summary>Checks the number of generations of each key in the sandbox's list. Call it only without faults.</summary>
    public async Task CheckAsync(SandboxProcess sandbox, string token)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = sandbox.Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        var counts = new Dictionary<string, int>();
        var keyOf = new Dictionary<string, string>();
        for (var (offset, hasMore) = (0, true); hasMore; offset += 100)
        {
            var page = await client.GetFromJsonAsync<JsonElement>(
                new Uri($"/dream-machine/v1/generations?limit=100&offset={offset}", UriKind.Relative), TestContext.Current.CancellationToken);
            foreach (var generation in page.GetProperty("generations").EnumerateArray())
            {
                var prompt = generation.GetProperty("request").GetProperty("prompt").GetString()!;
                counts[prompt] = counts.GetValueOrDefault(prompt) + 1;
                keyOf[generation.GetProperty("id").GetString()!] = prompt;
            }

            hasMore = page.GetProperty("has_more").GetBoolean();
        }

        foreach (var (key, (from, until)) in _keys)
        {
            CreateBounds.CheckCount(key, counts.GetValueOrDefault(key), Records.DeletionOf(key), faults.Redis.MayHaveLostWrites(from, until), findings);
            CreateBounds.CheckGenerations(key, _named.GetValueOrDefault(key) ?? [], keyOf, findings);
        }
    }

    private CreateRecords Records => faults.Shared.Records;

    /// <summary>The gateway cannot rewrite a deleted record while Redis is full.</summary>
    private bool MayHaveLostRecord(string key, long from) =>
        faults.Redis.MayHaveLostWrites(from, clock.GetTimestamp()) || (Records.DeletionOf(key) is not Deletion.None && !faults.Redis.WasStableSince(from));

    /// <summary>Returns the last response.</summary>
    private async Task<HttpResponseMessage?> RepeatAsync(string path, string key, int number, long from)
    {
        string? first = null;
        HttpResponseMessage? response = null;
        for (var i = 0; i < Attempts; i++)
        {
            response?.Dispose();
            response = await SendAsync(path, key, number + i);
            _keys[key] = (from, clock.GetTimestamp());
            if (response?.StatusCode is HttpStatusCode.OK or HttpStatusCode.Created)
            {
                var id = (await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("id").GetString()!;
                _named.GetOrAdd(key, _ => new ConcurrentQueue<string>()).Enqueue(id);
                sender.Checker.History.AddCreate(key, id, sender.Now);
                if (first is not null)
                {
                    CreateBounds.CheckRepetition(key, first, id, Records.DeletionOf(key), MayHaveLostRecord(key, from), findings);
                    break; // this was a repetition after a known outcome
                }

                first = id;
                _created.AddOrUpdate(path, 1, static (_, count) => count + 1);
                AddId(id);
                if (number % 3 != 0 && !Records.IsDeleting)
                {
                    break;
                }
            }

            await Wait.ForAsync(Pause);
        }

        return response;
    }

    private async Task<HttpResponseMessage?> SendAsync(string path, string key, int number)
    {
        try
        {
            if (Records.IsDeleting)
            {
                await faults.Shared.SlowOneCreateAsync();
            }

            var (_, _, address) = sender.ChooseReplica(number);
            Records.SetInFlight(key, isInFlight: true);
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(address, path)) { Content = JsonContent.Create(new { prompt = key }) };
            request.Headers.Add("Idempotency-Key", key);
            var response = await sender.SendAsync(request);
            var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            findings.Check(Invariant.NoInternalError, !body.Contains("internal_error", StringComparison.Ordinal), () => $"{key}: {body}"); // a 500 of the upstream is passed through
            findings.Check(Invariant.OneCreatePerKey, !body.Contains("idempotency_key_reused", StringComparison.Ordinal), () => $"{key} was reported as reused: {body}");
            return response;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException && !TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            Records.SetInFlight(key, isInFlight: false);
        }
    }

    private void AddId(string id)
    {
        _ids.Enqueue(id);
        while (_ids.Count > MaxIds)
        {
            _ids.TryDequeue(out _);
        }
    }
}
