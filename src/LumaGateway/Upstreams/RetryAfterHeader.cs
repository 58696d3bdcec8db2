namespace LumaGateway.Upstreams;

/// <summary>Reads the <c>Retry-After</c> of an upstream's response (RFC 9110, section 10.2.3): seconds or a date. Pure.</summary>
internal static class RetryAfterHeader
{
    /// <summary>The time to wait; null without the header. A date is compared with the response's own <c>Date</c>: the upstream's clock can differ from the gateway's.</summary>
    /// <param name="response">The response.</param>
    /// <param name="clock">Read only for a date in a response without <c>Date</c>.</param>
    public static TimeSpan? Of(HttpResponseMessage response, TimeProvider clock)
    {
        var header = response.Headers.RetryAfter;
        var delay = header?.Delta ?? header?.Date - (response.Headers.Date ?? clock.GetUtcNow());
        return delay < TimeSpan.Zero ? TimeSpan.Zero : delay;
    }
}
