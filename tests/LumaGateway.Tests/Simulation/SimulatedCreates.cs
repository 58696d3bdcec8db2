using System.Globalization;
using System.Text;
using LumaGateway.Access;
using LumaGateway.Creating;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Proxy.Idempotency;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace LumaGateway.Tests.Simulation;

/// <summary>Creates with an idempotency key, through the product's middleware, and reads of the created generations. Records the generations whose ids were returned.</summary>
internal sealed class SimulatedCreates(SimulationScheduler scheduler, SimulatedUpstream upstream)
{
    private const string ClientName = "client";

    /// <summary>CreatePipeline runs behind this route.</summary>
    private static readonly RouteEndpoint Route = new(static _ => Task.CompletedTask, RoutePatternFactory.Parse(CreateEndpoints.Path), 0, null, null);

    private static readonly ClientLimits NoLimits = new(RequestsPerSecond: 0, Burst: 0, Concurrency: 0, UpstreamCost: 1);

    private int _requests;

    public List<CreateRecord> Creates { get; } = [];

    /// <summary>The hash of an idempotency key in the record of a job.</summary>
    public static string HashOf(int key) => IdempotencyLedger.DigestOf([ClientName, CreateEndpoints.Path, KeyOf(key)]);

    public async Task CreateAsync(SimulatedReplica replica, int key)
    {
        using var lease = new RateLimitLease(new Client(ClientName, Permissions.Create, new ClientLimiter(scheduler, NoLimits)));
        var context = new DefaultHttpContext { TraceIdentifier = $"create {_requests++}", RequestServices = replica.Services };
        context.Features.Set(lease);
        context.SetEndpoint(Route);
        context.Request.Method = HttpMethods.Post;
        context.Request.Path = CreateEndpoints.Path;
        context.Request.Headers["Idempotency-Key"] = KeyOf(key);
        context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""{"prompt":"{{KeyOf(key)}}"}""")));
        await replica.Creates.InvokeAsync(context);
        var (status, location) = (context.Response.StatusCode, context.Response.Headers.Location.ToString());
        scheduler.Write($"{replica.Process.Name} created {key}: {status} {location}");
        if (status is StatusCodes.Status201Created && GenerationId.Parse(location[(location.LastIndexOf('/') + 1)..], null) is var id && !Creates.Exists(create => create.Id == id))
        {
            Creates.Add(new CreateRecord(id, scheduler.Now));
        }
    }

    /// <summary>Reads one of the generations that were created.</summary>
    public async Task ReadAsync(SimulatedReplica replica, int index)
    {
        if (Creates.Count == 0)
        {
            return;
        }

        var id = Creates[index % Creates.Count].Id;
        try
        {
            await replica.Reader.ReadAsync(id, $"read created {_requests++}", null, CancellationToken.None);
        }
        catch (UpstreamException fault)
        {
            scheduler.Write($"{replica.Process.Name} read {id}: {fault.Fault}");
        }
    }

    /// <summary>A replica sees the final state of every job that has ended and whose record is written.</summary>
    public async Task UpdateJobsAsync(SimulatedReplica replica)
    {
        foreach (var create in Creates.Where(create => !create.IsUpdated && upstream.Jobs.Exists(job => job.Id == create.Id && job.To <= scheduler.Now)).ToList())
        {
            create.IsUpdated = true;
            await replica.UpdateJobAsync(create.Id);
            scheduler.Write($"{replica.Process.Name} saw the end of {create.Id}");
        }
    }

    private static string KeyOf(int key) => string.Create(CultureInfo.InvariantCulture, $"create-{key}");
}
