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
internal sealed class SimulatedUpstream(SimulationScheduler scheduler, Schedule schedule, PlantedBug bug) : HttpMessageHandler, IHttpMessageHandlerFactory
{
    /// <summary>The limit of an account. It is small, so that creates wait for it.</summary>
    public const int MaxConcurrentJobs = 2;

    private int _version;

    public bool Fails { get; set; }

    public bool IsSlow { get; set; }

    /// <summary>The account that refuses creates; null if none does.</summary>
    public string? Refusing { get; set; }

    /// <summary>The reads that the upstream has received.</summary>
    public List<UpstreamRequest> Requests { get; } = [];

    /// <summary>The jobs that the upstream has begun and billed.</summary>
    public List<UpstreamJob> Jobs { get; } = [];

    public static GenerationId KeyOf(int index) => GenerationId.Parse(string.Create(CultureInfo.InvariantCulture, $"g{index}"), null);

    /// <summary>The name of an account. It is also the first part of the account's host.</summary>
    public static string AccountOf(int index) => string.Create(CultureInfo.InvariantCulture, $"account{index}");

    HttpMessageHandler IHttpMessageHandlerFactory.CreateHandler(string name) => this;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var account = request.RequestUri!.Host.Split('.')[0];
        if (request.Method == HttpMethod.Post)
        {
            return await CreateAsync(request.Content!, account, cancellationToken);
        }

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

    /// <summary>A create is billed when it is received, also if its response is a failure.</summary>
    private async Task<HttpResponseMessage> CreateAsync(HttpContent content, string account, CancellationToken cancellationToken)
    {
        var body = await content.ReadAsStringAsync(cancellationToken); // the product sees now that sending has started
        var key = body[body.IndexOf("create-", StringComparison.Ordinal) + "create-".Length] - '0';
        var latency = Latency();
        if (account == Refusing)
        {
            await Task.Delay(latency, scheduler, cancellationToken);
            return new HttpResponseMessage(HttpStatusCode.TooManyRequests);
        }

        var job = new UpstreamJob(IdOf(Jobs.Count), key, account, scheduler.Now, scheduler.Now + latency + TimeSpan.FromMilliseconds(scheduler.Random.Next(6000)));
        Jobs.Add(job);
        scheduler.Write($"upstream create {key} at {account}: {job.Id}");
        await Task.Delay(latency, scheduler, cancellationToken);
        return Fails
            ? new HttpResponseMessage(bug is PlantedBug.BilledCreateMoves ? HttpStatusCode.TooManyRequests : HttpStatusCode.InternalServerError)
            : new HttpResponseMessage(HttpStatusCode.Created) { Content = new StringContent($$"""{"id":"{{job.Id}}","state":"queued"}""") };

        static GenerationId IdOf(int index) => GenerationId.Parse(string.Create(CultureInfo.InvariantCulture, $"job{index}"), null);
    }

    private EntryKind StateOf(GenerationId key, string account)
    {
        if (Jobs.Find(job => job.Id == key) is { } created)
        {
            return account != created.Account ? EntryKind.NotFound : scheduler.Now < created.To ? EntryKind.Interim : EntryKind.Final;
        }

        var index = key.Value[1] - '0';
        var (existsFrom, finalFrom, deletedFrom) = schedule.Generations[index];
        return account != AccountOf(index % schedule.Accounts) || scheduler.Now < existsFrom || scheduler.Now >= deletedFrom ? EntryKind.NotFound
            : scheduler.Now < finalFrom ? EntryKind.Interim : EntryKind.Final;
    }

    private byte[] BodyOf(UpstreamRequest record) => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"id":"{{record.Key}}","state":"{{(record.Kind is EntryKind.Final ? "completed" : "dreaming")}}","request":{"prompt":"{{_version++}}"},"assets":{{(record.Kind is EntryKind.Final ? """{"video":"https://files.test/video.mp4"}""" : "null")}}}"""));

    /// <summary>Of the slow requests some take longer than their share of the deadline, which the accounts divide.</summary>
    private TimeSpan Latency() => TimeSpan.FromMilliseconds(IsSlow || scheduler.Random.Next(3) == 0 ? scheduler.Random.Next(300, 6000 / schedule.Accounts) : scheduler.Random.Next(5, 150));
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

/// <summary>A job of an account, from its create to its final state.</summary>
/// <param name="Id">Its generation.</param>
/// <param name="Key">The index of the idempotency key.</param>
/// <param name="Account">The account that bills it.</param>
/// <param name="From">When the create was received.</param>
/// <param name="To">When it is final.</param>
internal sealed record UpstreamJob(GenerationId Id, int Key, string Account, TimeSpan From, TimeSpan To);
