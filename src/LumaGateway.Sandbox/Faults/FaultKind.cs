namespace LumaGateway.Sandbox.Faults;

/// <summary>The faults of an upstream. Their names in kebab case are used by the control API and the magic ids.</summary>
internal enum FaultKind
{
    /// <summary>A correct response after a delay.</summary>
    Latency,

    /// <summary>A chosen status, with an error in the dialect's shape.</summary>
    Status,

    /// <summary>Correct headers and half of the body, then the connection is aborted.</summary>
    Truncated,

    /// <summary>200 without a body.</summary>
    Empty,

    /// <summary>200 with an HTML page.</summary>
    Html,

    /// <summary>No response until the caller disconnects.</summary>
    Hang,

    /// <summary>The connection is reset before the response.</summary>
    Reset,

    /// <summary>A correct response, one byte at a time.</summary>
    Drip,

    /// <summary>32 MiB of JSON without a length.</summary>
    Huge,

    /// <summary>JSON nested 5,000 deep.</summary>
    Deep,

    /// <summary>A correct response about another id.</summary>
    WrongId,

    /// <summary>The JSON <c>null</c>.</summary>
    Null,

    /// <summary>A JSON number.</summary>
    Number,

    /// <summary>302 to the sandbox under another host name, where a client that follows it is counted.</summary>
    Redirect,
}
