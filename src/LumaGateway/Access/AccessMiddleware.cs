using LumaGateway.Problems;
using Microsoft.Extensions.Options;

namespace LumaGateway.Access;

/// <summary>
/// The only place where a request is admitted: authenticates it, checks the permissions of its client, and acquires the client's rate limit lease. An endpoint
/// without <see cref="RequiredPermission"/> is public. A refused request continues without a lease, and <see cref="AccessOutcomeMiddleware"/> responds. Must be
/// after routing, and before the thread changes: an <see cref="FastResponse"/> is written here, without allocations.
/// </summary>
internal sealed class AccessMiddleware(RequestDelegate next, ClientAuthenticator authenticator, Ownership ownership, AccessMetrics metrics, IOptions<AccessLogOptions> log)
{
    private readonly bool _isLogged = log.Value.AccessLog is not AccessLogMode.None;

    public Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata is not { } metadata || metadata.GetMetadata<RequiredPermission>() is not { } required)
        {
            return next(context);
        }

        return authenticator.TryAuthenticate(context, out var client, out var reason)
            ? Admit(context, required, client, reason)
            : AuthenticateJwtAsync(context, required);
    }

    private async Task AuthenticateJwtAsync(HttpContext context, RequiredPermission required)
    {
        if (!Thread.CurrentThread.IsThreadPoolThread)
        {
            await Task.Yield(); // checking a signature takes too long for the thread that waits for all sockets
        }

        var (client, reason) = await authenticator.AuthenticateAsync(context);
        await Admit(context, required, client, reason);
    }

    private Task Admit(HttpContext context, RequiredPermission required, Client? client, RefusalReason reason)
    {
        if (client is null)
        {
            return Refuse(context, new AccessRefusal(Client.UnknownName, reason));
        }

        if (!client.Has(required.For(context.Request.Method)))
        {
            return Refuse(context, new AccessRefusal(client.Name, RefusalReason.MissingPermission, client.Permissions));
        }

        if (client.ClientLimiter.TryAcquire(out var wait) is { } limit)
        {
            SetHeadersAtStart(context, client.ClientLimiter);
            return Refuse(context, new AccessRefusal(client.Name, limit, RetryAfter: wait));
        }

        var isReleasedLater = false;
        try
        {
            metrics.Admitted(client.Name);
            client.ClientLimiter.SetHeaders(context.Response);
            if (!ownership.IsKnownToSee(context, client) || context.GetEndpoint()!.Metadata.GetMetadata<FastResponse>()?.TryWrite(context) is not { } writing)
            {
                isReleasedLater = true;
                return ContinueAsync(context, client);
            }

            if (_isLogged)
            {
                context.Features.Set(client);
            }

            isReleasedLater = !writing.IsCompleted;
            return isReleasedLater ? ReleaseAfterAsync(writing, client.ClientLimiter) : writing;
        }
        finally
        {
            if (!isReleasedLater)
            {
                client.ClientLimiter.Release(); // also if the metric or the write throws
            }
        }
    }

    private Task Refuse(HttpContext context, AccessRefusal refusal)
    {
        context.Features.Set(refusal);
        return next(context);
    }

    private async Task ContinueAsync(HttpContext context, Client client)
    {
        SetHeadersAtStart(context, client.ClientLimiter);
        using var lease = new RateLimitLease(client);
        context.Features.Set(lease);
        await next(context);
    }

    /// <summary>Sets the rate limit headers when the response starts: the work below costs tokens, and an exception handler clears earlier headers.</summary>
    private static void SetHeadersAtStart(HttpContext context, ClientLimiter limiter) => context.Response.OnStarting(
        static state =>
        {
            var (response, limiter) = ((HttpResponse, ClientLimiter))state;
            limiter.SetHeaders(response);
            return Task.CompletedTask;
        },
        (context.Response, limiter));

    private static async Task ReleaseAfterAsync(Task writing, ClientLimiter limiter)
    {
        try
        {
            await writing;
        }
        finally
        {
            limiter.Release();
        }
    }
}

/// <summary>Endpoint metadata: writes the response of an admitted request without the rest of the pipeline, or returns null.</summary>
/// <param name="TryWrite">Must not block, because it runs on the thread that waits for all sockets. Must not change the response if it returns null.</param>
internal sealed record FastResponse(Func<HttpContext, Task?> TryWrite);

/// <summary>Request feature: why a request is refused.</summary>
/// <param name="Client">The client's name.</param>
/// <param name="Reason">The reason.</param>
/// <param name="Granted">The permissions of the client, if one is missing.</param>
/// <param name="RetryAfter">When a request over a limit can be repeated.</param>
internal sealed record AccessRefusal(string Client, RefusalReason Reason, Permissions Granted = Permissions.None, TimeSpan RetryAfter = default);
