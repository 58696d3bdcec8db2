using System.Diagnostics;
using LumaGateway.Telemetry;

namespace LumaGateway.Tests.Caching;

/// <summary>Records the spans of the product in one trace.</summary>
internal sealed class Spans : IDisposable
{
    private readonly List<Activity> _ended = [];
    private readonly ActivityListener _listener;
    private readonly Activity _root = new("root");

    public Spans()
    {
        _root.SetIdFormat(ActivityIdFormat.W3C);
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Instrumentation.Name,
            Sample = (ref options) => options.TraceId == _root.TraceId ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
            ActivityStopped = activity =>
            {
                if (activity.TraceId == _root.TraceId)
                {
                    lock (_ended)
                    {
                        _ended.Add(activity);
                    }
                }
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    /// <summary>Runs an action as part of the trace.</summary>
    public async Task<T> Within<T>(Func<Task<T>> act)
    {
        _root.Start();
        var result = await act();
        _root.Stop();
        return result;
    }

    public Activity Single(string name)
    {
        lock (_ended)
        {
            return Assert.Single(_ended, activity => activity.OperationName == name);
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        _root.Dispose();
    }
}
