using LumaGateway.Contracts;

namespace LumaGateway.Upstreams;

/// <summary>Records nothing: each process finds the accounts of ids again.</summary>
internal sealed class NoAccountRecords : IAccountRecords
{
    public ValueTask<string?> FindAccountAsync(GenerationId id) => default;

    public Task RecordFoundAsync(GenerationId id, UpstreamAccount account) => Task.CompletedTask;
}
