using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace LumaGateway.Access;

/// <summary>
/// Fetches the issuer's key set for the first time. Concurrent requests share one fetch, and its failure is cached, so that an unreachable issuer delays requests
/// by at most one fetch. After a success the configuration manager refreshes the key set in the background. Thread-safe.
/// </summary>
internal sealed partial class IssuerKeys(IConfigurationManager<OpenIdConnectConfiguration> issuer, TimeProvider clock, ILogger logger)
{
    /// <summary>How long a failure is cached.</summary>
    public static readonly TimeSpan FailureLifetime = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan FetchTimeout = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private Task<bool>? _fetch;
    private long? _failedAt;

    /// <summary>Returns false if the key set cannot be fetched. The token cancels this wait only, not the fetch, which other requests may share.</summary>
    public Task<bool> AreAvailableAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_fetch is null || (_failedAt is { } failed && clock.GetElapsedTime(failed) >= FailureLifetime))
            {
                _failedAt = null;
                _fetch = FetchAsync();
            }

            return _fetch.IsCompleted ? _fetch : _fetch.WaitAsync(cancellationToken);
        }
    }

    private async Task<bool> FetchAsync()
    {
        await Task.Yield(); // leaves the caller's lock
        try
        {
            await issuer.GetConfigurationAsync(CancellationToken.None).WaitAsync(FetchTimeout, clock);
            return true;
        }
#pragma warning disable CA1031 // any failure of the issuer means that the keys are not available
        catch
#pragma warning restore CA1031
        {
            lock (_lock)
            {
                _failedAt = clock.GetTimestamp();
            }

            Log.KeysUnavailable(logger, FailureLifetime.TotalSeconds);
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1022, LogLevel.Warning, "Fetching the key set of Access:Jwt:Authority failed. Requests with a JWT get 503 issuer_unavailable. The next attempt is in {Seconds} s at the earliest.")]
        public static partial void KeysUnavailable(ILogger logger, double seconds);
    }
}
