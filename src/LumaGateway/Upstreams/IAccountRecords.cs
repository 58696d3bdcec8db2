using LumaGateway.Contracts;

namespace LumaGateway.Upstreams;

/// <summary>The lasting records of which account an id belongs to, shared by all replicas. Not used with one account. Does not throw: it is a hint that saves requests.</summary>
internal interface IAccountRecords
{
    /// <summary>The name of the id's account; null if no record is found, or the store is unavailable.</summary>
    ValueTask<string?> FindAccountAsync(GenerationId id);

    /// <summary>Records that an id was found on an account.</summary>
    Task RecordFoundAsync(GenerationId id, UpstreamAccount account);
}
