using System.Globalization;
using LumaGateway.Problems;
using LumaGateway.Telemetry;

namespace LumaGateway.Access;

/// <summary>
/// Lets a request pass to its endpoint when its client has the right that the endpoint asks for and is within its limits. An endpoint that
/// asks for no right is open to everybody. Refusals are statuses without a body, made problems further out.
/// </summary>
internal sealed class AccessMiddleware(RequestDelegate next, ClientAuthenticator callers, AccessMetrics metrics, Audit audit)
{
    /// <summary>What is told afterwards in any case: it costs money, loses work, or takes an answer away from others.</summary>
    private const Rights Audited = Rights.Create | Rights.Delete | Rights.Purge;

    /// <summary>RFC 6750, section 3; without an error where nothing was sent.</summary>
    public const string Challenge = "Bearer realm=\"LumaGateway\"";

    private const string InvalidToken = Challenge + ", error=\"invalid_token\"";

    public async Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<RequiredPermission>() is not { } required)
        {
            await next(context);
            return;
        }

        var (client, refusal) = await callers.IdentifyAsync(context.Request.Headers, context.RequestAborted);
        if (client is null)
        {
            audit.Refused(context, Client.UnknownName, refusal);
            Refuse(context, refusal);
            return;
        }

        var asked = required.For(context.Request.Method);
        if (!client.May(asked))
        {
            var missing = PermissionNames.Of(asked & ~client.Rights);
            audit.Refused(context, client.Name, RefusalReason.MissingRight);
            context.Features.Set(new Denial($"This client lacks the right {string.Join(" and the right ", missing)}, which the route asks for."));
            context.Response.Headers.WWWAuthenticate = $"{Challenge}, error=\"insufficient_scope\", scope=\"{string.Join(' ', PermissionNames.Of(asked))}\"";
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return;
        }

        if (client.ClientLimiter.TryEnter(out var wait) is { } limit)
        {
            audit.Refused(context, client.Name, limit);
            context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            context.Response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
            return;
        }

        using var visit = new RateLimitLease(client); // gives the slot back, whatever happens below
        await FollowAsync(context, visit, required, asked & Audited);
    }

    private void Refuse(HttpContext context, RefusalReason reason)
    {
        if (reason is RefusalReason.IssuerUnavailable)
        {
            context.Features.Set(new Denial(null, reason));
            context.Response.Headers.RetryAfter = IssuerKeys.Remembered.TotalSeconds.ToString(CultureInfo.InvariantCulture);
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        if (reason is not RefusalReason.NoCredential)
        {
            context.Features.Set(reason is RefusalReason.TokenTooLarge ? callers.TokenTooLarge : new Denial("The key or token that was sent is not valid here."));
            context.Response.Headers.WWWAuthenticate = InvalidToken;
        }

        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
    }

    private async Task FollowAsync(HttpContext context, RateLimitLease visit, RequiredPermission required, Rights audited)
    {
        var outcome = nameof(Exception);
        try
        {
            context.Features.Set(visit);
            metrics.Admitted(visit.Client.Name);
            Instrumentation.Current?.SetTag("luma_gateway.client.name", visit.Client.Name);
            if (required.GoesUpstream)
            {
                visit.ChargeFetch();
            }

            await next(context);
            outcome = audited is Rights.None ? "" : context.Response.StatusCode.ToString(CultureInfo.InvariantCulture);
        }
        catch (UpstreamException fault)
        {
            outcome = fault.Fault.ToString();
            throw;
        }
        catch (OverLimitException limit)
        {
            audit.Refused(context, visit.Client.Name, limit.Reason);
            throw;
        }
        finally
        {
            visit.HandBackPlace(); // before the audit event: that may take its time
            if (audited is not Rights.None)
            {
                audit.Did(context, visit.Client.Name, audited, outcome);
            }
        }
    }
}
