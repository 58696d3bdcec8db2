namespace LumaGateway.Client;

/// <summary>Settings of <see cref="LumaGatewayClient"/>. Changes apply to the next request.</summary>
public sealed class LumaGatewayClientOptions
{
    /// <summary>The gateway's address, http or https, optionally with a path prefix. Required.</summary>
    public Uri? BaseAddress { get; set; }

    /// <summary>The client key, sent as <c>Authorization: Bearer</c>. Null for a gateway that allows anonymous callers.</summary>
    public string? Key { get; set; }

    /// <summary>The limit of one attempt, in addition to the time that the gateway was asked to wait. For a stream and an asset it ends with the headers.</summary>
    public TimeSpan AttemptTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>For how long a call is retried after transient faults, except a create; for a stream, each reconnection. 0: one attempt.</summary>
    public TimeSpan RetryFor { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// For how long a create is retried after transient faults. 0: one attempt. The gateway says that a create is in progress for up to
    /// <c>Passthrough:CreateTimeout</c> (2 min) and 30 s. A shorter time can end the call while the create runs: repeat it with the same key.
    /// </summary>
    public TimeSpan CreateRetryFor { get; set; } = TimeSpan.FromMinutes(3);

    /// <summary>The time without a byte after which a stream reconnects and a download fails. Must be longer than the gateway's <c>Waiting:Heartbeat</c>.</summary>
    public TimeSpan StreamIdleTimeout { get; set; } = TimeSpan.FromSeconds(60);

    internal static bool IsValidAddress(LumaGatewayClientOptions options) =>
        options.BaseAddress is { IsAbsoluteUri: true, Scheme: "http" or "https", Query: "", Fragment: "", UserInfo: "" };

    internal static bool IsValidKey(LumaGatewayClientOptions options) =>
        options.Key is null || IsVisibleAscii(options.Key);

    /// <summary>Whether a text can be sent as a key, as an idempotency key or as the name of an account.</summary>
    internal static bool IsVisibleAscii(string text) => text.Length > 0 && text.All(static character => character is > ' ' and <= '~');

    internal static bool AreValidTimes(LumaGatewayClientOptions options) =>
        IsTimeout(options.AttemptTimeout) && IsTimeout(options.StreamIdleTimeout) && options.RetryFor >= TimeSpan.Zero && options.CreateRetryFor >= TimeSpan.Zero;

    private static bool IsTimeout(TimeSpan time) => time > TimeSpan.Zero && time <= TimeSpan.FromDays(1);
}
