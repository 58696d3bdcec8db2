using System.Diagnostics;

namespace LumaGateway.Telemetry;

/// <summary>Keeps the host of an upstream or of its files out of the spans of HttpClient. The span <c>attempt</c> names the account instead.</summary>
internal static class HttpClientSpans
{
    private static readonly ActivityListener Listener = new()
    {
        ShouldListenTo = static source => source.Name is "System.Net.Http",
        ExceptionRecorder = static (Activity _, Exception _, ref TagList tags) =>
        {
            tags.Add("exception.message", "");
            tags.Add("exception.stacktrace", "");
        },
    };

    /// <summary>Removes the attributes that contain the host.</summary>
    public static void RemoveHost(Activity span) => span.SetTag("url.full", null).SetTag("server.address", null).SetTag("server.port", null);

    /// <summary>
    /// Removes the message and the stack trace from the events of exceptions; the type stays. Those of a failed connection contain the host. Applies to the whole process and can be called
    /// again.
    /// </summary>
    public static void OmitMessages() => ActivitySource.AddActivityListener(Listener);
}
