namespace LumaGateway.Status;

/// <summary>The requests, failures and latencies of one route. Thread-safe.</summary>
internal sealed class RouteStatistics(TimeProvider clock)
{
    public PerSecondCounter Requests { get; } = new(clock);

    public PerSecondCounter Failures { get; } = new(clock);

    public LatencyHistogram Latencies { get; } = new(clock);

    public void Add(double seconds, bool isFailure)
    {
        Requests.Add(1);
        if (isFailure)
        {
            Failures.Add(1);
        }

        Latencies.Record(seconds);
    }

    public RouteBody Read(string method, string? route) => new(method, route, Requests.Total, Failures.Total, Latencies.Read());
}
