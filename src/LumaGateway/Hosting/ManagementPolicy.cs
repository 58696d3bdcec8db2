using Microsoft.AspNetCore.Routing.Matching;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>
/// Hides management endpoints from every other port. The port is the connection's own, which no caller can choose; <c>Host</c> and
/// <c>X-Forwarded-*</c> have no say.
/// </summary>
internal sealed class ManagementPolicy(IOptions<ManagementOptions> options) : MatcherPolicy, IEndpointSelectorPolicy
{
    private readonly int? _port = options.Value.Port;

    public override int Order => int.MinValue; // before any policy that would speak of methods or media types

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

    private static bool IsManagement(Endpoint endpoint) => endpoint.Metadata.GetMetadata<ManagementOnly>() is not null;
}
