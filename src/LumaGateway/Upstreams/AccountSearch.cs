using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Time;

namespace LumaGateway.Upstreams;

/// <summary>Reads a generation from its account. If the account is not known, asks all accounts once, in order, and remembers the account that has the generation. Thread-safe.</summary>
internal sealed class AccountSearch(UpstreamAccounts accounts, AccountDirectory directory, MonotonicClock clock)
{
    /// <summary>
    /// Reads a generation. Throws <see cref="UpstreamException"/>: <see cref="UpstreamFault.NotFound"/> if the known account does not have it, or none of all accounts has it; if an
    /// account could not be asked and the others do not have the generation, the fault of that account.
    /// </summary>
    /// <param name="id">The generation.</param>
    /// <param name="requestId">Sent as <c>X-Request-Id</c>.</param>
    /// <param name="deadline">The limit on all requests together.</param>
    public async Task<FoundGeneration> ReadAsync(GenerationId id, string requestId, Deadline deadline)
    {
        if (await directory.FindAsync(id) is { } known)
        {
            return new FoundGeneration(known, await known.Client.GetAsync(id, requestId, deadline));
        }

        UpstreamException? fault = null;
        for (var i = 0; i < accounts.All.Count; i++)
        {
            var account = accounts.All[i];
            try
            {
                // An account that does not respond must leave time for those after it.
                using var share = new Deadline(deadline.Remaining / (accounts.All.Count - i), clock);
                var result = await account.Client.GetAsync(id, requestId, share);
                directory.RecordFound(id, account);
                return new FoundGeneration(account, result);
            }
            catch (UpstreamException exception)
            {
                if (fault is null || fault.Fault is UpstreamFault.NotFound)
                {
                    fault = exception;
                }
            }
        }

        throw fault!;
    }
}

/// <summary>A generation and the account that has it.</summary>
internal sealed record FoundGeneration(UpstreamAccount Account, DialectResult Result);
