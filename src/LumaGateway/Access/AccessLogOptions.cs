namespace LumaGateway.Access;

/// <summary>The access log. Bound to <c>Logging</c>, a section of .NET.</summary>
internal sealed class AccessLogOptions
{
    public const string Section = "Logging";

    /// <summary>Which requests are logged with event 1031, each when it ends. Probes, scrapes and the status page are never logged.</summary>
    public AccessLogMode AccessLog { get; set; }
}

/// <summary>Which requests the access log contains.</summary>
internal enum AccessLogMode
{
    /// <summary>No requests.</summary>
    None,

    /// <summary>Requests with a status of 400 or above, 499 included: the client disconnected before the response.</summary>
    Errors,

    /// <summary>All requests.</summary>
    All,
}
