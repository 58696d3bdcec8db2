using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Diagnostics;

namespace LumaGateway.Problems;

/// <summary>Turns expected exceptions into problems. The framework logs any other exception and sends 500.</summary>
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
                await ProblemWriter.WriteAsync(httpContext, ProblemKinds.RateLimited, retryAfter: limit.RetryAfter);
                return true;

            case LedgerUnavailableException:
                await ProblemWriter.WriteAsync(httpContext, ProblemKinds.LedgerUnavailable);
                return true;

            case BadHttpRequestException bad:
                await ProblemWriter.WriteAsync(httpContext, ProblemKinds.Of(bad.StatusCode));
                return true;

            case IOException { InnerException: OverflowException }: // thrown by Kestrel for a chunk size that overflows
                await ProblemWriter.WriteAsync(httpContext, ProblemKinds.InvalidRequest);
                return true;

            case OperationCanceledException when httpContext.RequestAborted.IsCancellationRequested:
            case ConnectionResetException or IOException { InnerException: ConnectionAbortedException }: // thrown by Kestrel, possibly before it cancels RequestAborted
                httpContext.Response.StatusCode = StatusCodes.Status499ClientClosedRequest; // only for logs and metrics: the caller is disconnected
                return true;

            default:
                return false;
        }
    }
}
