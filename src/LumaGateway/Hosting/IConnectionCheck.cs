namespace LumaGateway.Hosting;

/// <summary>One connection that <c>--check</c> tries. Does nothing that costs money, and leaves nothing behind.</summary>
internal interface IConnectionCheck
{
    /// <summary>What it is called in the output.</summary>
    string Name { get; }

    /// <summary>Says how it went in words that hold no secret and no address. Bounded in time; throws nothing.</summary>
    Task<(Verdict Verdict, string Says)> TryAsync();
}

/// <summary>How a check ended.</summary>
internal enum Verdict
{
    Good,
    Bad,

    /// <summary>There is a connection, but what is at its end cannot be told for sure. The exit code does not count it.</summary>
    Unclear,

    /// <summary>The settings name no such connection.</summary>
    NotConfigured,
}
