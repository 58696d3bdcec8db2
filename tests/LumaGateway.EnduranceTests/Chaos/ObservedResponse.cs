namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>One response about one generation, as a caller received it.</summary>
/// <param name="Replica">The process that responded. A restart gives it another name.</param>
/// <param name="Id">The generation.</param>
/// <param name="Started">The time of the request, relative to the start of the run.</param>
/// <param name="Ended">The time of the response or of the failure.</param>
/// <param name="Status">The status; 0 without a complete response.</param>
/// <param name="Body">The body of the response, or the error message.</param>
/// <param name="MediaType">The media type of the body.</param>
/// <param name="ETag">The ETag, if there is one.</param>
internal sealed record ObservedResponse(string Replica, string Id, TimeSpan Started, TimeSpan Ended, int Status, string Body, string? MediaType, string? ETag)
{
    /// <summary>Whether the replica had no fault during the request.</summary>
    public bool HadReplicaNoFault { get; init; } = true;

    /// <summary>Whether Redis was stable during the request.</summary>
    public bool IsRedisStable { get; init; }

    /// <summary>The kind of request; for the report.</summary>
    public string Route { get; init; } = "read";

    public override string ToString() =>
        $"{Route} of {Id} at replica {Replica}, {Started.TotalSeconds:0.00} s to {Ended.TotalSeconds:0.00} s: {Status} {ETag} {(Body.Length > 600 ? Body[..600] + "…" : Body)}";
}
