using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace LumaGateway.Access;

/// <summary>
/// Whether the issuer's key set is at hand. All who ask before it is share one fetch of bounded length, and its failure is the answer for a few seconds, so that an
/// issuer which is away delays nobody by more than one fetch. Once it was fetched, the configuration manager renews it in the background. Thread-safe.
/// </summary>
internal sealed partial class IssuerKeys(IConfigurationManager<OpenIdConnectConfiguration> issuer, TimeProvider clock, ILogger logger)
{
    /// <summary>How long a failure is remembered.</summary>
    public static readonly TimeSpan Remembered = TimeSpan.FromSeconds(5);

    /// <summary>The longest that a fetch is waited for.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private Task<bool>? _fetch;
    private long? _failedAt;

    /// <summary>False where the issuer did not give its keys. The token frees this caller only: the fetch goes on for the others.</summary>
    public Task<bool> AreThereAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_fetch is null || (_failedAt is { } failed && clock.GetElapsedTime(failed) >= Remembered))
            {
                _failedAt = null;
                _fetch = FetchAsync();
            }

            return _fetch.IsCompleted ? _fetch : _fetch.WaitAsync(cancellationToken);
        }
    }

    private async Task<bool> FetchAsync()
    {
        await Task.Yield(); // not under the lock
        try
        {
            await issuer.GetConfigurationAsync(CancellationToken.None).WaitAsync(Longest, clock);
            return true;
        }
#pragma warning disable CA1031 // whatever the issuer sends or does, its keys are not there
        catch
#pragma warning restore CA1031
        {
            lock (_gate)
            {
                _failedAt = clock.GetTimestamp();
            }

            Log.NotCheckable(logger, Remembered.TotalSeconds);
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1022, LogLevel.Warning, "The key set of Access:Jwt:Authority could not be fetched; JWTs are answered with 503 issuer_unavailable, and it is fetched again in {Seconds} s at the earliest.")]
        public static partial void NotCheckable(ILogger logger, double seconds);
    }
}
