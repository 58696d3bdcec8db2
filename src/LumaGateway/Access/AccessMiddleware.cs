using System.Globalization;
using LumaGateway.Problems;
using LumaGateway.Telemetry;

namespace LumaGateway.Access;

/// <summary>
/// Authenticates a request, checks the permissions of its client, and applies the client's limits. An endpoint without <see cref="RequiredPermission"/> is
/// public. A refusal is a status without a body; <see cref="ProblemWriter"/> writes the body.
/// </summary>
internal sealed class AccessMiddleware(RequestDelegate next, ClientAuthenticator authenticator, AccessMetrics metrics, Audit audit)
{
    /// <summary>Permissions whose use is always audited: they cost money, delete work, or remove a cached response.</summary>
    private const Permissions Audited = Permissions.Create | Permissions.Delete | Permissions.Purge;

    /// <summary>RFC 6750, section 3. It has no error if the request has no credential.</summary>
    public const string Challenge = "Bearer realm=\"LumaGateway\"";

    private const string InvalidToken = Challenge + ", error=\"invalid_token\"";

    public async Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<RequiredPermission>() is not { } required)
        {
            await next(context);
            return;
        }

        var (client, refusal) = await authenticator.AuthenticateAsync(context.Request.Headers, context.RequestAborted);
        if (client is null)
        {
            audit.Refused(context, Client.UnknownName, refusal);
            Refuse(context, refusal);
            return;
        }

        var permissions = required.For(context.Request.Method);
        if (!client.Has(permissions))
        {
            var missing = PermissionNames.Of(permissions & ~client.Permissions);
            audit.Refused(context, client.Name, RefusalReason.MissingRight);
            context.Features.Set(new Refusal($"The route requires permissions that this client does not have: {string.Join(", ", missing)}."));
            context.Response.Headers.WWWAuthenticate = $"{Challenge}, error=\"insufficient_scope\", scope=\"{string.Join(' ', PermissionNames.Of(permissions))}\"";
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return;
        }

        if (client.ClientLimiter.TryAcquire(out var wait) is { } limit)
        {
            audit.Refused(context, client.Name, limit);
            context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            context.Response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
            return;
        }

        using var lease = new RateLimitLease(client);
        await ContinueAsync(context, lease, required, permissions & Audited);
    }

    private void Refuse(HttpContext context, RefusalReason reason)
    {
        if (reason is RefusalReason.IssuerUnavailable)
        {
            context.Features.Set(new Refusal(null, reason));
            context.Response.Headers.RetryAfter = IssuerKeys.FailureLifetime.TotalSeconds.ToString(CultureInfo.InvariantCulture);
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        if (reason is not RefusalReason.NoCredential)
        {
            context.Features.Set(reason is RefusalReason.TokenTooLarge ? authenticator.TokenTooLarge : new Refusal("The key or token is not valid."));
            context.Response.Headers.WWWAuthenticate = InvalidToken;
        }

        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
    }

    private async Task ContinueAsync(HttpContext context, RateLimitLease lease, RequiredPermission required, Permissions audited)
    {
        var outcome = nameof(Exception);
        try
        {
            context.Features.Set(lease);
            metrics.Admitted(lease.Client.Name);
            Instrumentation.Current?.SetTag("luma_gateway.client.name", lease.Client.Name);
            if (required.GoesUpstream)
            {
                lease.ChargeFetch();
            }

            await next(context);
            outcome = audited is Permissions.None ? "" : context.Response.StatusCode.ToString(CultureInfo.InvariantCulture);
        }
        catch (UpstreamException fault)
        {
            outcome = fault.Fault.ToString();
            throw;
        }
        catch (OverLimitException limit)
        {
            audit.Refused(context, lease.Client.Name, limit.Reason);
            throw;
        }
        finally
        {
            lease.ReleaseSlot(); // before the audit event, which may be slow
            if (audited is not Permissions.None)
            {
                audit.PermissionUsed(context, lease.Client.Name, audited, outcome);
            }
        }
    }
}
