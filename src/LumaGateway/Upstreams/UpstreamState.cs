namespace LumaGateway.Upstreams;

/// <summary>Whether the upstream's circuit breaker is open, and whether the upstream refuses the gateway's account. Thread-safe.</summary>
internal sealed class UpstreamState
{
    private volatile bool _isBreakerOpen;
    private bool _isAccountRefused;

    public bool IsBreakerOpen
    {
        get => _isBreakerOpen;
        set => _isBreakerOpen = value;
    }

    public bool IsAccountRefused => Volatile.Read(ref _isAccountRefused);

    /// <summary>Returns true if the state changed.</summary>
    public bool SetAccountRefused(bool refused) => IsAccountRefused != refused && Interlocked.Exchange(ref _isAccountRefused, refused) != refused;
}
