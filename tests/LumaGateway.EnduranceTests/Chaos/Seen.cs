namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>What one caller was answered about one generation.</summary>
/// <param name="Replica">Which process answered: another one after a restart.</param>
/// <param name="Id">The generation.</param>
/// <param name="Begun">When it was asked, from the begin of the run.</param>
/// <param name="Ended">When the answer was there, or known not to come.</param>
/// <param name="Status">0 where no whole answer came.</param>
/// <param name="Body">The answer as it came.</param>
/// <param name="MediaType">Of the body.</param>
/// <param name="ETag">Its validator, where it came with one.</param>
internal sealed record Seen(string Replica, string Id, TimeSpan Begun, TimeSpan Ended, int Status, string Body, string? MediaType, string? ETag)
{
    /// <summary>Whether nobody killed, stopped or paused the replica meanwhile.</summary>
    public bool IsReplicaUndisturbed { get; init; } = true;

    /// <summary>Whether Redis had been well for a while when it was asked.</summary>
    public bool IsRedisAtPeace { get; init; }

    /// <summary>How it was asked; for people.</summary>
    public string Route { get; init; } = "read";

    public override string ToString() =>
        $"{Route} of {Id} at replica {Replica}, {Begun.TotalSeconds:0.00} s to {Ended.TotalSeconds:0.00} s: {Status} {ETag} {(Body.Length > 600 ? Body[..600] + "…" : Body)}";
}
