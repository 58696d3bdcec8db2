namespace LumaGateway.Features.Status;

/// <summary>What is known of one route. Thread-safe.</summary>
internal sealed class RouteNumbers(TimeProvider clock)
{
    private long _total;
    private long _failed;

    public Latencies Latencies { get; } = new(clock);

    public void Add(double seconds, bool failed)
    {
        Interlocked.Increment(ref _total);
        if (failed)
        {
            Interlocked.Increment(ref _failed);
        }

        Latencies.Record(seconds);
    }

    public RouteBody Read(string method, string route) => new(method, route, Volatile.Read(ref _total), Volatile.Read(ref _failed), Latencies.Read());
}
