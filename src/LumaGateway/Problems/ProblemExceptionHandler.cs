using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Diagnostics;

namespace LumaGateway.Problems;

/// <summary>Turns the faults that are foreseen into problems. What is not foreseen stays a 500, logged by the framework.</summary>
internal sealed class ProblemExceptionHandler : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        switch (exception)
        {
            case UpstreamException upstream:
                await ProblemWriter.WriteAsync(httpContext, ProblemKinds.Of(upstream.Fault), retryAfter: upstream.RetryAfter);
                return true;

            case OverLimitException limit:
                await ProblemWriter.WriteAsync(httpContext, ProblemKinds.RateLimited, retryAfter: limit.Wait);
                return true;

            case BadHttpRequestException bad:
                await ProblemWriter.WriteAsync(httpContext, ProblemKinds.Of(bad.StatusCode));
                return true;

            case IOException { InnerException: OverflowException }: // Kestrel's, for a chunk size that no integer holds
                await ProblemWriter.WriteAsync(httpContext, ProblemKinds.InvalidRequest);
                return true;

            case OperationCanceledException when httpContext.RequestAborted.IsCancellationRequested:
            case ConnectionResetException or IOException { InnerException: ConnectionAbortedException }: // Kestrel's, which may come before it cancels the token
                httpContext.Response.StatusCode = StatusCodes.Status499ClientClosedRequest; // nobody reads it; logs and metrics do
                return true;

            default:
                return false;
        }
    }
}
