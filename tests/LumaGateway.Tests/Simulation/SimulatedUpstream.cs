using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Text;
using LumaGateway.Caching;
using LumaGateway.Contracts;

namespace LumaGateway.Tests.Simulation;

/// <summary>
/// The upstream with its accounts: each generation appears, becomes final, and may be deleted. A request reads the state at its beginning and responds later. Records every request.
/// </summary>
[SuppressMessage("Security", "CA5394", Justification = "A seed repeats the choices.")]
internal sealed class SimulatedUpstream(SimulationScheduler scheduler, Schedule schedule) : HttpMessageHandler, IHttpMessageHandlerFactory
{
    /// <summary>The limit of an account. It is small, so that creates wait for it.</summary>
    public const int MaxConcurrentJobs = 2;

    private int _version;

    public bool Fails { get; set; }

    public bool IsSlow { get; set; }

    /// <summary>The reads that the upstream has received.</summary>
    public List<UpstreamRequest> Requests { get; } = [];

    /// <summary>The jobs that the upstream has begun, with the time of their end.</summary>
    public List<(GenerationId Id, TimeSpan From, TimeSpan To)> Jobs { get; } = [];

    /// <summary>The number of billed creates by idempotency key.</summary>
    public Dictionary<int, int> Billed { get; } = [];

    public static GenerationId KeyOf(int index) => GenerationId.Parse(string.Create(CultureInfo.InvariantCulture, $"g{index}"), null);

    /// <summary>The name of an account. It is also the first part of the account's host.</summary>
    public static string AccountOf(int index) => string.Create(CultureInfo.InvariantCulture, $"account{index}");

    HttpMessageHandler IHttpMessageHandlerFactory.CreateHandler(string name) => this;

    /// <summary>A create: billed when it is received. Returns null if its outcome is unknown to the caller.</summary>
    public async Task<GenerationId?> CreateAsync(int key)
    {
        Billed[key] = Billed.GetValueOrDefault(key) + 1;
        var id = GenerationId.Parse(string.Create(CultureInfo.InvariantCulture, $"job{Jobs.Count}"), null);
        var latency = Latency();
        Jobs.Add((id, scheduler.Now, scheduler.Now + latency + TimeSpan.FromMilliseconds(scheduler.Random.Next(6000))));
        await Task.Delay(latency, scheduler, CancellationToken.None);
        return Fails ? null : id;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var account = request.RequestUri!.Host.Split('.')[0];
        var key = GenerationId.Parse(request.RequestUri.Segments[^1], null);
        var record = new UpstreamRequest(key, account, scheduler.Now) { Kind = StateOf(key, account) };
        Requests.Add(record);
        scheduler.Write($"upstream request {key} to {account}");
        try
        {
            await Task.Delay(Latency(), scheduler, cancellationToken);
        }
        finally
        {
            record.To = scheduler.Now;
        }

        var status = Fails ? HttpStatusCode.InternalServerError : record.Kind is EntryKind.NotFound ? HttpStatusCode.NotFound : HttpStatusCode.OK;
        return new HttpResponseMessage(status) { Content = new ByteArrayContent(status is HttpStatusCode.OK ? BodyOf(record) : []) };
    }

    private EntryKind StateOf(GenerationId key, string account)
    {
        var index = key.Value[1] - '0';
        var (existsFrom, finalFrom, deletedFrom) = schedule.Generations[index];
        return account != AccountOf(index % schedule.Accounts) || scheduler.Now < existsFrom || scheduler.Now >= deletedFrom ? EntryKind.NotFound
            : scheduler.Now < finalFrom ? EntryKind.Interim : EntryKind.Final;
    }

    private byte[] BodyOf(UpstreamRequest record) => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"id":"{{record.Key}}","state":"{{(record.Kind is EntryKind.Final ? "completed" : "dreaming")}}","request":{"prompt":"{{_version++}}"},"assets":{{(record.Kind is EntryKind.Final ? """{"video":"https://files.test/video.mp4"}""" : "null")}}}"""));

    private TimeSpan Latency() => TimeSpan.FromMilliseconds(IsSlow || scheduler.Random.Next(3) == 0 ? scheduler.Random.Next(500, 6000) : scheduler.Random.Next(5, 150));
}

/// <summary>A read that an account has received.</summary>
internal sealed class UpstreamRequest(GenerationId key, string account, TimeSpan from)
{
    public GenerationId Key => key;

    public string Account => account;

    public TimeSpan From => from;

    /// <summary>The end of the request.</summary>
    public TimeSpan To { get; set; } = TimeSpan.MaxValue;

    /// <summary>The state at its beginning.</summary>
    public EntryKind Kind { get; init; }
}
