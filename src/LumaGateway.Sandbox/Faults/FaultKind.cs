namespace LumaGateway.Sandbox.Faults;

/// <summary>What can be wrong with an upstream. The names in kebab case are those of the control API and of the magic ids.</summary>
internal enum FaultKind
{
    /// <summary>Late, then right.</summary>
    Latency,

    /// <summary>A status of choice, with an error in the dialect's shape.</summary>
    Status,

    /// <summary>The right headers and half of the body, then the connection breaks.</summary>
    Truncated,

    /// <summary>200 without a body.</summary>
    Empty,

    /// <summary>200 with a page for people.</summary>
    Html,

    /// <summary>No answer until the caller leaves.</summary>
    Hang,

    /// <summary>The connection is reset before the answer.</summary>
    Reset,

    /// <summary>The right answer, one byte at a time.</summary>
    Drip,

    /// <summary>32 MiB of JSON without a length.</summary>
    Huge,

    /// <summary>JSON nested 5,000 deep.</summary>
    Deep,

    /// <summary>The right answer about another id.</summary>
    WrongId,

    /// <summary>The JSON <c>null</c>.</summary>
    Null,

    /// <summary>A JSON number.</summary>
    Number,

    /// <summary>302 to the sandbox under another host name, where a follower is seen and counted.</summary>
    Redirect,
}
