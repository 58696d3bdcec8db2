using System.Text.Json.Nodes;
using LumaGateway.Sandbox.Generations;

namespace LumaGateway.Sandbox.Dialects;

/// <summary>One API shape of Luma: its routes, its generations, its errors.</summary>
internal interface ISandboxDialect
{
    /// <summary>The value of the gateway's <c>Luma:Dialect</c>.</summary>
    string Name { get; }

    /// <summary>The API's root, below which <see cref="Map"/> puts its routes.</summary>
    string Root { get; }

    /// <summary>The id under which the documented sample is served.</summary>
    string SampleId { get; }

    /// <summary>The header with the token: <c>Authorization</c> has it after <c>Bearer</c>.</summary>
    string TokenHeader { get; }

    void Map(RouteGroupBuilder routes, DialectOperations operations);

    /// <summary>The documented sample with current times.</summary>
    byte[] Sample();

    JsonNode Render(SandboxGeneration generation, GenerationState state);

    JsonResponse Error(int status, string message);

    /// <summary>The response to a create with a wrong body.</summary>
    JsonResponse Refuse(BodyFault fault);
}
