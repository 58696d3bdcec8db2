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

    /// <summary>The response to a create.</summary>
    JsonNode RenderCreated(SandboxGeneration generation, GenerationState state) => Render(generation, state);

    /// <summary>What a create gets while too many jobs run: a message, and the value of <c>Retry-After</c>; null for the time until the first job ends.</summary>
    (string Message, TimeSpan? RetryAfter) TooManyJobs => ("Too many requests", null);

    JsonResponse Error(int status, string message);

    /// <summary>The response to a create with a wrong body.</summary>
    JsonResponse Refuse(BodyFault fault);
}
