namespace LumaGateway.Status;

/// <summary>What is known of one route. Thread-safe.</summary>
internal sealed class RouteNumbers(TimeProvider clock)
{
    public LastSeconds Requests { get; } = new(clock);

    public LastSeconds Failures { get; } = new(clock);

    public Latencies Latencies { get; } = new(clock);

    public void Add(double seconds, bool failed)
    {
        Requests.Add(1);
        if (failed)
        {
            Failures.Add(1);
        }

        Latencies.Record(seconds);
    }

    public RouteBody Read(string method, string route) => new(method, route, Requests.Total, Failures.Total, Latencies.Read());
}
