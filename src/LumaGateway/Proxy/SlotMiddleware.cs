using LumaGateway.Jobs;
using LumaGateway.Problems;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;

namespace LumaGateway.Proxy;

/// <summary>
/// Lets a create wait until its account has a slot (<see cref="JobSlots"/>), and refuses it with 503 <c>account_saturated</c> if there is none in time.
/// A create that waits has not been sent. A create whose account was chosen by weight takes the first free slot of any account.
/// Must be inside <see cref="IdempotencyMiddleware"/> and <see cref="JobMiddleware"/>, which bind the slot to the generation.
/// </summary>
internal sealed class SlotMiddleware(RequestDelegate next, JobSlots slots, AccountChooser chooser, IOptions<PassthroughOptions> options)
{
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(30);

    /// <summary>How long a create holds its slot until it has an id. A create without a key under <c>/luma</c> ends with the timeout of YARP, the others with <c>Passthrough:CreateTimeout</c>.</summary>
    private readonly TimeSpan _lifetime = TimeSpan.FromTicks(Math.Max(options.Value.CreateTimeout.Ticks, UpstreamConfigFilter.ActivityTimeout.Ticks)) + Margin;

    public Task InvokeAsync(HttpContext context) =>
        CreateRequest.Is(context) && context.Features.Get<ProxyAccount>() is { } account ? WaitAsync(context, account) : next(context);

    private async Task WaitAsync(HttpContext context, ProxyAccount account)
    {
        var (slot, retryAfter) = await AcquireAsync(context, account);
        context.Features.Set(slot); // replaces that of an account that refused the create
        if (retryAfter is not null)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.AccountSaturated, retryAfter: retryAfter);
            return;
        }

        await (slot is null ? next(context) : CreateAsync(context, slot));
    }

    /// <summary>A slot of the first account with a free one, in the order of the choice. If none is free, waits for the account that has one first.</summary>
    private async ValueTask<SlotResult> AcquireAsync(HttpContext context, ProxyAccount account)
    {
        while (account.HasAlternatives)
        {
            var result = await slots.TryAcquireAsync(account.Account.Name, _lifetime);
            if (result.RetryAfter is null)
            {
                return result;
            }

            if (!account.TrySkip(chooser))
            {
                break;
            }
        }

        // A create with a key is not aborted by its caller but by Passthrough:CreateTimeout. If it were sent after that, it would fail, and the failure would pause the account.
        var waited = context.Features.Get<CallerLifetime>() is { } caller
            ? await slots.AcquireAsync(account.AccountsWithoutSlot, _lifetime, deadline: context.RequestAborted, caller.Aborted)
            : await slots.AcquireAsync(account.AccountsWithoutSlot, _lifetime, deadline: CancellationToken.None, context.RequestAborted);
        if (waited.Slot is { } slot)
        {
            account.MoveToSlot(slot.Account, chooser);
        }

        return waited;
    }

    private async Task CreateAsync(HttpContext context, JobSlot slot)
    {
        var mayRun = false;
        try
        {
            await next(context);
            mayRun = CreateOutcomes.Of(context) is var outcome && (outcome is CreateOutcome.Unknown || (outcome is CreateOutcome.Settled && context.Response.StatusCode is >= 200 and < 300));
        }
        catch when (CreateOutcomes.MayHaveRun(context))
        {
            mayRun = true;
            throw;
        }
        finally
        {
            if (!mayRun)
            {
                await slots.ReleaseAsync(slot);
            }
        }
    }
}

/// <summary>Request feature: the caller's own connection, of a create that continues when its caller disconnects.</summary>
/// <param name="Aborted">Cancelled when the caller disconnects.</param>
internal sealed record CallerLifetime(CancellationToken Aborted);
