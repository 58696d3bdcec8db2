using LumaGateway.Contracts;
using LumaGateway.Jobs;
using Microsoft.Extensions.Options;

namespace LumaGateway.Access;

/// <summary>
/// Decides which client may see which generation, by <c>Access:Ownership</c>. An id that the client may not see is treated as an id that does not exist: both take one
/// read of the ledger, so that their times do not differ. Throws <see cref="Problems.LedgerUnavailableException"/> if the ledger does not respond. Thread-safe.
/// </summary>
internal sealed class Ownership(IJobLedger ledger, RecentOwners owners, IOptions<AccessOptions> options)
{
    /// <summary>Parsed for an id without a job, so that the time of a request does not tell whether another group has the id.</summary>
    private static readonly byte[] SampleJob =
        new Job("11111111-1111-4111-8111-111111111111", "account", "dream-machine", "client", "group", "ray-2", DateTimeOffset.UnixEpoch, new string('0', 64), JobState.Completed).Serialize();

    /// <summary>False if every client may see every generation.</summary>
    public bool IsActive { get; } = options.Value.Ownership is OwnershipMode.Group;

    /// <summary>Whether ownership limits what the client sees.</summary>
    public bool Limits(Client client) => IsActive && !client.Has(Permissions.ReadAll);

    /// <summary>Whether the client may see the generation of the request, as far as memory knows. False if memory does not know it; then read the ledger.</summary>
    public bool IsKnownToSee(HttpContext context, Client client) =>
        !Limits(client) || (IdOf(context) is { } id && owners.IsOwnedBy(id, client.Group));

    /// <summary>Whether the client may see the generation.</summary>
    public ValueTask<bool> MaySeeAsync(GenerationId id, Client client, CancellationToken cancellationToken) =>
        !Limits(client) || owners.IsOwnedBy(id, client.Group) ? ValueTask.FromResult(true) : FindAsync(id, client, cancellationToken);

    /// <summary>Returns the ids that the client may not see, in at most one round trip.</summary>
    public async ValueTask<IReadOnlySet<GenerationId>> FindHiddenAsync(IReadOnlyList<GenerationId> ids, Client? client, CancellationToken cancellationToken)
    {
        var hidden = new HashSet<GenerationId>();
        if (client is null || !Limits(client) || ids.Count == 0 || ids.All(id => owners.IsOwnedBy(id, client.Group)))
        {
            return hidden;
        }

        var jobs = await ledger.FindAsync(ids, cancellationToken);
        for (var i = 0; i < ids.Count; i++)
        {
            if (!IsOwned(ids[i], jobs[i], client))
            {
                hidden.Add(ids[i]);
            }
        }

        return hidden;
    }

    /// <summary>The generation in the route; null if there is none, or the id is malformed.</summary>
    public static GenerationId? IdOf(HttpContext context) => GenerationId.TryParse(context.Request.RouteValues["id"] as string, null, out var id) ? id : null;

    private async ValueTask<bool> FindAsync(GenerationId id, Client client, CancellationToken cancellationToken) =>
        IsOwned(id, await ledger.FindAsync(id, cancellationToken), client);

    /// <summary>Whether the job belongs to the client's group. Only such a generation is remembered: for all others the ledger is read each time.</summary>
    private bool IsOwned(GenerationId id, Job? job, Client client)
    {
        if (job is null)
        {
            Job.Deserialize(SampleJob);
            return false;
        }

        if (job.Group != client.Group)
        {
            return false;
        }

        owners.Add(id, client.Group);
        return true;
    }
}

/// <summary>Who may see a generation.</summary>
internal enum OwnershipMode
{
    /// <summary>Every client.</summary>
    Off,

    /// <summary>The clients of the group that created it.</summary>
    Group,
}
