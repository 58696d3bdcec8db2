using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>The emulated upstream in its own process. It counts the requests of the gateway.</summary>
internal sealed class SandboxProcess : IAsyncDisposable
{
    public const string Token = "sandbox-token";

    /// <summary>The id of the documented completed sample.</summary>
    public const string SampleId = "4665a07c-7641-4809-a133-10786201bb56";

    private const string Listening = "Sandbox listening on ";

    private readonly ChildProcess _process;
    private readonly HttpClient _control;

    private SandboxProcess(ChildProcess process, Uri address)
    {
        (_process, Address) = (process, address);
        _control = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address };
    }

    public Uri Address { get; }

    /// <summary>The output of the process.</summary>
    public string Log => _process.Everything;

    public static async Task<SandboxProcess> StartAsync(params string[] arguments)
    {
        var process = ChildProcess.Start(
            ChildProcess.Dotnet, [Path.Combine(AppContext.BaseDirectory, "LumaGateway.Sandbox.dll"), "--alone", "--urls", "http://127.0.0.1:0", .. arguments]);
        try
        {
            var address = await process.ReadAsync(line => line.StartsWith(Listening, StringComparison.Ordinal) ? line[Listening.Length..] : null);
            return new SandboxProcess(process, new Uri(address));
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>The numbers of requests, by path and id.</summary>
    public async Task<RequestCounts> CountsAsync() =>
        (await _control.GetFromJsonAsync<RequestCounts>(new Uri("/sandbox/requests", UriKind.Relative), TestContext.Current.CancellationToken))!;

    public async Task<long> CountAsync(string id) => (await CountsAsync()).ById.GetValueOrDefault(id);

    /// <summary>The last 32 requests for an id, oldest first, with time and host name.</summary>
    public async Task<IReadOnlyList<Arrival>> ArrivalsAsync(string id) =>
        [.. (await _control.GetFromJsonAsync<List<JsonElement>>(new Uri($"/sandbox/requests/{id}", UriKind.Relative), TestContext.Current.CancellationToken))!
            .Select(request => new Arrival(request.GetProperty("at").GetDateTimeOffset(), request.GetProperty("headers").GetProperty("Host").GetString()!))];

    public async Task ResetCountsAsync() =>
        (await _control.DeleteAsync(new Uri("/sandbox/requests", UriKind.Relative), TestContext.Current.CancellationToken)).EnsureSuccessStatusCode();

    public async Task AddFaultAsync(SandboxFault fault) => (await _control.PutAsJsonAsync(
        new Uri("/sandbox/faults", UriKind.Relative), fault, TestContext.Current.CancellationToken)).EnsureSuccessStatusCode();

    public async Task RemoveFaultsAsync() =>
        (await _control.DeleteAsync(new Uri("/sandbox/faults", UriKind.Relative), TestContext.Current.CancellationToken)).EnsureSuccessStatusCode();

    /// <summary>When a generation with a predefined course ends. The course starts with the first request for it.</summary>
    public async Task<DateTimeOffset> EndTimeAsync(string id)
    {
        var generation = await _control.GetFromJsonAsync<JsonElement>(new Uri($"/sandbox/generations/{id}", UriKind.Relative), TestContext.Current.CancellationToken);
        return generation.GetProperty("changes").EnumerateArray().Last().GetProperty("at").GetDateTimeOffset();
    }

    /// <summary>The generation as the sandbox has it: 404 if it was not created here.</summary>
    public Task<HttpResponseMessage> GenerationAsync(string id) =>
        _control.GetAsync(new Uri($"/sandbox/generations/{id}", UriKind.Relative), TestContext.Current.CancellationToken);

    /// <summary>Changes the state of a generation.</summary>
    public async Task SetStateAsync(string id, string state) => (await _control.PutAsJsonAsync(
        new Uri($"/sandbox/generations/{id}", UriKind.Relative), new { state }, TestContext.Current.CancellationToken)).EnsureSuccessStatusCode();

    /// <summary>Replaces the token that the upstream accepts.</summary>
    public async Task SetTokenAsync(string token) => (await _control.PutAsJsonAsync(
        new Uri("/sandbox/token", UriKind.Relative), new { token }, TestContext.Current.CancellationToken)).EnsureSuccessStatusCode();

    public async ValueTask DisposeAsync()
    {
        _control.Dispose();
        await _process.DisposeAsync();
    }
}

/// <summary>The sandbox's counts since the last reset.</summary>
internal sealed record RequestCounts(
    long Total, int ConcurrentMax, IReadOnlyDictionary<string, long> ByPath, IReadOnlyDictionary<string, long> ById, long CreatesRefused);

/// <summary>A request that the sandbox received.</summary>
internal sealed record Arrival(DateTimeOffset At, string Host);

/// <summary>A fault and the requests that it affects; by default all. See the sandbox's README.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record SandboxFault(string Kind)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Status { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? RetryAfter { get; init; }

    /// <summary>Milliseconds.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Delay { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Match { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Count { get; init; }

    /// <summary>The probability of the fault, from 0 to 1.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Probability { get; init; }
}
