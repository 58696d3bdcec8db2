using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Upstreams;

/// <summary>A generation as the response to its create describes it. A request feature of a create whose response the gateway itself has read.</summary>
/// <param name="Id">Its id.</param>
/// <param name="State">Its first state; queued if the response does not say.</param>
/// <param name="Model">Its model; null if neither the response nor a create that the gateway wrote names one.</param>
internal sealed record CreatedGeneration(GenerationId Id, GenerationState State, string? Model)
{
    /// <summary>Reads the body of a response with a status of 2xx. Null if it has no id. Pure.</summary>
    public static CreatedGeneration? Read(IUpstreamDialect dialect, ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = UpstreamTransport.Parse(isSuccess: true, body);
            return WireCreated.FindId(document!.RootElement) is { } id ? Read(dialect, id, document.RootElement) : null;
        }
        catch (UpstreamException)
        {
            return null; // the body is not JSON
        }
    }

    private static CreatedGeneration Read(IUpstreamDialect dialect, GenerationId id, JsonElement body)
    {
        try
        {
            var generation = dialect.Read(id, HttpStatusCode.OK, body).Generation;
            return new CreatedGeneration(id, generation.State, generation.Model);
        }
        catch (UpstreamException)
        {
            return new CreatedGeneration(id, GenerationState.Queued, Model: null); // the response to a create may have less than that to a read
        }
    }
}
