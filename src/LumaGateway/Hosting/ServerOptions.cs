using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>The limits of the HTTP server for every client. Bound to <c>Server</c>.</summary>
internal sealed class ServerOptions
{
    public const string Section = "Server";

    /// <summary>The largest request body outside <c>/luma</c>, in bytes. <c>Passthrough:MaxBodyBytes</c> is the limit under <c>/luma</c>.</summary>
    [Number("Server:MaxBodyBytes", 1024, 1024L * 1024 * 1024)]
    public long MaxBodyBytes { get; set; } = 1024 * 1024;

    /// <summary>The longest request line, path and query included, in bytes. The default fits 50 ids of 256 characters.</summary>
    [Number("Server:MaxRequestLineBytes", 1024, 64 * 1024)]
    public int MaxRequestLineBytes { get; set; } = 16 * 1024;

    /// <summary>The total size of a request's headers, in bytes. A JWT must fit.</summary>
    [Number("Server:MaxHeaderBytes", 1024, 256 * 1024)]
    public int MaxHeaderBytes { get; set; } = 16 * 1024;

    /// <summary>The largest number of headers of a request.</summary>
    [Number("Server:MaxHeaders", 10, 1000)]
    public int MaxHeaders { get; set; } = 64;

    /// <summary>The limit on receiving a request's headers. It ends slow-loris attacks.</summary>
    [Duration("Server:HeaderTimeout", "00:00:01", "00:01:00")]
    public TimeSpan HeaderTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an idle connection stays open. Must be longer than a load balancer's timeout, or the load balancer uses closed connections.</summary>
    [Duration("Server:KeepAliveTimeout", "00:00:01", "01:00:00")]
    public TimeSpan KeepAliveTimeout { get; set; } = TimeSpan.FromSeconds(130);

    /// <summary>The lowest rate of a request body and of reading a response, in bytes per second, after a grace period of 5 s.</summary>
    [Number("Server:MinBytesPerSecond", 1, 1024 * 1024)]
    public int MinBytesPerSecond { get; set; } = 240;

    /// <summary>The largest number of open connections; a further connection is closed at once.</summary>
    [Number("Server:MaxConnections", 1, 1_000_000)]
    public int MaxConnections { get; set; } = 20_000;

    /// <summary>
    /// The time from SIGTERM until the listeners close. Must be long enough for every load balancer to see the 503 of <c>/health/ready</c>, and longer than
    /// a load balancer keeps an idle connection to the gateway. Otherwise it may send a request on a connection that closes.
    /// </summary>
    [Duration("Server:ShutdownDelay", "00:00:00", "00:05:00")]
    public TimeSpan ShutdownDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The time that active requests may take after <see cref="ShutdownDelay"/> and one second. The time until SIGKILL must be longer than delay, second and timeout
    /// together; a Redis that does not respond adds one second, with Sentinel up to seven.
    /// </summary>
    [Duration("Server:ShutdownTimeout", "00:00:01", "01:00:00")]
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(30);
}

[OptionsValidator]
internal sealed partial class ServerOptionsValidator : IValidateOptions<ServerOptions>;
