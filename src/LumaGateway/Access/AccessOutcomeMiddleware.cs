using System.Globalization;
using LumaGateway.Problems;
using LumaGateway.Telemetry;

namespace LumaGateway.Access;

/// <summary>
/// Responds to requests that <see cref="AccessMiddleware"/> refused, and audits the use of permissions. A refusal is a status without a body;
/// <see cref="ProblemWriter"/> writes the body. Must be inside the exception handler, so that it sees how a request ended.
/// </summary>
internal sealed class AccessOutcomeMiddleware(RequestDelegate next, ClientAuthenticator authenticator, Audit audit)
{
    /// <summary>Permissions whose use is always audited: they cost money, delete work, or remove a cached response.</summary>
    private const Permissions Audited = Permissions.Create | Permissions.Delete | Permissions.Purge;

    private const string InvalidToken = ProblemWriter.Challenge + ", error=\"invalid_token\"";

    public Task InvokeAsync(HttpContext context)
    {
        if (context.Features.Get<AccessRefusal>() is { } refusal)
        {
            audit.Refused(context, refusal.Client, refusal.Reason);
            Respond(context, refusal);
            return Task.CompletedTask;
        }

        return RateLimitLease.Of(context) is { } lease ? ContinueAsync(context, lease, RequiredOf(context)) : next(context);
    }

    private static RequiredPermission RequiredOf(HttpContext context) => context.GetEndpoint()!.Metadata.GetRequiredMetadata<RequiredPermission>();

    private void Respond(HttpContext context, AccessRefusal refusal)
    {
        var response = context.Response;
        switch (refusal.Reason)
        {
            case RefusalReason.MissingPermission:
                var required = RequiredOf(context).For(context.Request.Method);
                var missing = PermissionNames.Of(required & ~refusal.Granted);
                context.Features.Set(new Refusal($"The route requires permissions that this client does not have: {string.Join(", ", missing)}."));
                response.Headers.WWWAuthenticate = $"{ProblemWriter.Challenge}, error=\"insufficient_scope\", scope=\"{string.Join(' ', PermissionNames.Of(required))}\"";
                response.StatusCode = StatusCodes.Status403Forbidden;
                break;

            case RefusalReason.RateLimit or RefusalReason.ConcurrencyLimit:
                response.StatusCode = StatusCodes.Status429TooManyRequests;
                response.Headers.RetryAfter = Seconds(refusal.RetryAfter);
                break;

            case RefusalReason.IssuerUnavailable:
                context.Features.Set(new Refusal(null, refusal.Reason));
                response.Headers.RetryAfter = Seconds(IssuerKeys.FailureLifetime);
                response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                break;

            case RefusalReason.NoCredential:
                response.StatusCode = StatusCodes.Status401Unauthorized;
                break;

            default:
                context.Features.Set(refusal.Reason is RefusalReason.TokenTooLarge ? authenticator.TokenTooLarge : new Refusal("The key, token or ticket is not valid."));
                response.Headers.WWWAuthenticate = InvalidToken;
                response.StatusCode = StatusCodes.Status401Unauthorized;
                break;
        }
    }

    private static string Seconds(TimeSpan time) => Math.Ceiling(time.TotalSeconds).ToString(CultureInfo.InvariantCulture);

    private async Task ContinueAsync(HttpContext context, RateLimitLease lease, RequiredPermission required)
    {
        var audited = required.For(context.Request.Method) & Audited;
        var outcome = nameof(Exception);
        try
        {
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
            lease.ReleaseConcurrency(); // before the audit event, which may be slow
            if (audited is not Permissions.None)
            {
                audit.PermissionUsed(context, lease.Client.Name, audited, outcome);
            }
        }
    }
}
