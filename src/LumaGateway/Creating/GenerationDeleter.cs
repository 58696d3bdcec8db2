using System.Net;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Time;
using LumaGateway.Upstreams;
using LumaGateway.Upstreams.Wire;
using Microsoft.Extensions.Options;

namespace LumaGateway.Creating;

/// <summary>Deletes generations at the upstream and purges them from the cache of all replicas. Thread-safe.</summary>
internal sealed class GenerationDeleter(
    AccountDirectory directory, AccountSearch search, ResponseCache cache, IOptions<LumaOptions> luma, TimeProvider clock)
{
    public async Task DeleteAsync(GenerationId id, HttpContext context)
    {
        var account = await directory.FindAsync(id) ?? await SearchAsync(id, context);
        if (account.Dialect.DeletePathOf(id) is not { } path)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.NotCancellable, $"Dialect {account.Dialect.Name} neither deletes nor cancels generations.");
            return;
        }

        var progress = new SendProgress();
        using var timeout = new CancellationTokenSource(luma.Value.Deadline, clock);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, timeout.Token);
        UpstreamFault? fault = UpstreamFault.TimedOut;
        TimeSpan? retryAfter = null;
        try
        {
            using var reply = await account.Sender.SendAsync(HttpMethod.Delete, path, null, context.TraceIdentifier, progress, linked.Token);
            (fault, retryAfter) = (FaultOf(reply.Response), reply.RetryAfter);
        }
        catch (UpstreamException exception)
        {
            (fault, retryAfter) = (exception.Fault, exception.RetryAfter);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
        {
            // The fault is already TimedOut.
        }
        finally
        {
            if (fault is not (UpstreamFault.Rejected or UpstreamFault.TokenRefused or UpstreamFault.OutOfCredit or UpstreamFault.Throttled or UpstreamFault.Saturated))
            {
                var isConfirmed = await cache.PurgeAsync(id); // also without a response: the upstream may have deleted it
                context.Response.Headers["Cache-Status"] = $"LumaGateway; fwd=method; detail={(isConfirmed ? "purged" : "purge_pending")}";
            }
        }

        if (fault is UpstreamFault.TokenRefused or UpstreamFault.OutOfCredit)
        {
            account.RecordRefusal(fault.Value, retryAfter);
        }

        await RespondAsync(context, fault, retryAfter);
    }

    /// <summary>Throws <see cref="UpstreamException"/> if no account knows the id.</summary>
    private async Task<UpstreamAccount> SearchAsync(GenerationId id, HttpContext context)
    {
        using var deadline = new Deadline(luma.Value.Deadline, clock);
        return (await search.ReadAsync(id, context.TraceIdentifier, deadline)).Account;
    }

    private static UpstreamFault? FaultOf(HttpResponseMessage response) =>
        response.IsSuccessStatusCode ? null
        : response.StatusCode is HttpStatusCode.Gone ? UpstreamFault.NotFound
        : response.StatusCode is HttpStatusCode.ServiceUnavailable && response.Headers.RetryAfter is not null ? UpstreamFault.Throttled // as for reads and creates
        : WireStatus.FaultOf(response.StatusCode);

    private static Task RespondAsync(HttpContext context, UpstreamFault? fault, TimeSpan? retryAfter)
    {
        if (fault is { } known)
        {
            return ProblemWriter.WriteAsync(context, ProblemKinds.Of(known), retryAfter: retryAfter);
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }
}
