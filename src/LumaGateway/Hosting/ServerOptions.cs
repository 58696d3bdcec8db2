using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>What the HTTP server takes from anybody, known or not. Bound to <c>Server</c>.</summary>
internal sealed class ServerOptions
{
    public const string Section = "Server";

    /// <summary>The largest body of a request, in bytes. A create is some kilobytes of JSON; pictures go by URL.</summary>
    [Number("Server:MaxBodyBytes", 1024, 1024L * 1024 * 1024)]
    public long MaxBodyBytes { get; set; } = 1024 * 1024;

    /// <summary>The longest request line, in bytes.</summary>
    [Number("Server:MaxRequestLineBytes", 1024, 64 * 1024)]
    public int MaxRequestLineBytes { get; set; } = 8 * 1024;

    /// <summary>All headers of a request together, in bytes: a JWT fits.</summary>
    [Number("Server:MaxHeaderBytes", 1024, 256 * 1024)]
    public int MaxHeaderBytes { get; set; } = 16 * 1024;

    /// <summary>How many headers a request may have.</summary>
    [Number("Server:MaxHeaders", 10, 1000)]
    public int MaxHeaders { get; set; } = 64;

    /// <summary>How long a caller may take to send a request's headers.</summary>
    [Duration("Server:HeaderTimeout", "00:00:01", "00:01:00")]
    public TimeSpan HeaderTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an idle connection is kept. Longer than a load balancer's own time-out, or it meets closed connections.</summary>
    [Duration("Server:KeepAliveTimeout", "00:00:01", "01:00:00")]
    public TimeSpan KeepAliveTimeout { get; set; } = TimeSpan.FromSeconds(130);

    /// <summary>The slowest body taken, and the slowest reader served, in bytes a second after five seconds of grace.</summary>
    [Number("Server:MinBytesPerSecond", 1, 1024 * 1024)]
    public int MinBytesPerSecond { get; set; } = 240;

    /// <summary>Connections at the same time; more are closed at once.</summary>
    [Number("Server:MaxConnections", 1, 1_000_000)]
    public int MaxConnections { get; set; } = 20_000;

    /// <summary>HTTP/2: requests at the same time on one connection.</summary>
    [Number("Server:MaxStreamsPerConnection", 1, 10_000)]
    public int MaxStreamsPerConnection { get; set; } = 100;

    /// <summary>
    /// From SIGTERM until the listeners close: long enough for every load balancer to have seen that <c>/health/ready</c> says no, and longer than it
    /// keeps an idle connection to the gateway, so that it never sends a request into one that closes.
    /// </summary>
    [Duration("Server:ShutdownDelay", "00:00:00", "00:05:00")]
    public TimeSpan ShutdownDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long after that requests under way may take. With the delay, it must fit into what SIGKILL comes after.</summary>
    [Duration("Server:ShutdownTimeout", "00:00:01", "01:00:00")]
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(30);
}

[OptionsValidator]
internal sealed partial class ServerOptionsValidator : IValidateOptions<ServerOptions>;
