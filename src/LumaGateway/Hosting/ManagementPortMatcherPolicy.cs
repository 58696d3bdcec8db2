using Microsoft.AspNetCore.Routing.Matching;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>
/// Removes management endpoints from routing on every other port. It compares the connection's local port, which no caller can choose, and ignores
/// <c>Host</c> and <c>X-Forwarded-*</c>.
/// </summary>
internal sealed class ManagementPortMatcherPolicy(IOptions<ManagementOptions> options) : MatcherPolicy, IEndpointSelectorPolicy
{
    private readonly int? _port = options.Value.Port;

    public override int Order => int.MinValue; // before the policies that respond with 405 or 415

    public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints) => endpoints.Any(IsManagement);

    public Task ApplyAsync(HttpContext httpContext, CandidateSet candidates)
    {
        if (httpContext.Connection.LocalPort != _port)
        {
            for (var i = 0; i < candidates.Count; i++)
            {
                if (IsManagement(candidates[i].Endpoint))
                {
                    candidates.SetValidity(i, false);
                }
            }
        }

        return Task.CompletedTask;
    }

    private static bool IsManagement(Endpoint endpoint) => endpoint.Metadata.GetMetadata<ManagementPortMetadata>() is not null;
}
