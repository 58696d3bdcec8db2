using System.ComponentModel.DataAnnotations;
using LumaGateway.Contracts;
using Microsoft.Extensions.Options;

namespace LumaGateway.Features.Server;

/// <summary>What the HTTP server takes from anybody, known or not. Bound to <c>Server</c>.</summary>
internal sealed class ServerOptions
{
    public const string Section = "Server";

    /// <summary>The largest body of a request, in bytes. A create is some kilobytes of JSON; pictures go by URL.</summary>
    [Range(1024, 1024L * 1024 * 1024, ErrorMessage = "Server:MaxBodyBytes must be between 1024 and 1073741824.")]
    public long MaxBodyBytes { get; set; } = 1024 * 1024;

    /// <summary>The longest request line, in bytes.</summary>
    [Range(1024, 64 * 1024, ErrorMessage = "Server:MaxRequestLineBytes must be between 1024 and 65536.")]
    public int MaxRequestLineBytes { get; set; } = 8 * 1024;

    /// <summary>All headers of a request together, in bytes: a JWT fits.</summary>
    [Range(1024, 256 * 1024, ErrorMessage = "Server:MaxHeaderBytes must be between 1024 and 262144.")]
    public int MaxHeaderBytes { get; set; } = 16 * 1024;

    /// <summary>How many headers a request may have.</summary>
    [Range(10, 1000, ErrorMessage = "Server:MaxHeaders must be between 10 and 1000.")]
    public int MaxHeaders { get; set; } = 64;

    /// <summary>How long a caller may take to send a request's headers.</summary>
    [Duration("Server:HeaderTimeout", "00:00:01", "00:01:00")]
    public TimeSpan HeaderTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an idle connection is kept. Longer than a load balancer's own time-out, or it meets closed connections.</summary>
    [Duration("Server:KeepAliveTimeout", "00:00:01", "01:00:00")]
    public TimeSpan KeepAliveTimeout { get; set; } = TimeSpan.FromSeconds(130);

    /// <summary>The slowest body taken, and the slowest reader served, in bytes a second after five seconds of grace.</summary>
    [Range(1, 1024 * 1024, ErrorMessage = "Server:MinBytesPerSecond must be between 1 and 1048576.")]
    public int MinBytesPerSecond { get; set; } = 240;

    /// <summary>Connections at the same time; more are closed at once.</summary>
    [Range(1, 1_000_000, ErrorMessage = "Server:MaxConnections must be between 1 and 1000000.")]
    public int MaxConnections { get; set; } = 20_000;

    /// <summary>HTTP/2: requests at the same time on one connection.</summary>
    [Range(1, 10_000, ErrorMessage = "Server:MaxStreamsPerConnection must be between 1 and 10000.")]
    public int MaxStreamsPerConnection { get; set; } = 100;
}

[OptionsValidator]
internal sealed partial class ServerOptionsValidator : IValidateOptions<ServerOptions>;
