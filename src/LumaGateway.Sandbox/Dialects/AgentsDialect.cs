using System.Globalization;
using System.Text.Json.Nodes;
using LumaGateway.Sandbox.Assets;
using LumaGateway.Sandbox.Generations;

namespace LumaGateway.Sandbox.Dialects;

/// <summary>Luma's Agents API: a list of outputs with new presigned URLs in every response, errors under <c>detail</c>.</summary>
internal sealed class AgentsDialect(AssetLinks links) : ISandboxDialect
{
    private readonly byte[] _sample = DocumentedSample.Of("agents");

    public string Name => "agents";

    public string Root => "/agents/v1";

    public string SampleId => "d290f1ee-6c54-4b01-90e6-d701748f0851";

    public void Map(RouteGroupBuilder routes, DialectOperations operations)
    {
        routes.AddEndpointFilter(EchoRequestIdAsync);
        routes.MapGet("/generations/{id}", (string id) => operations.Read(id));
        routes.MapGet("/files", () => new JsonResponse(StatusCodes.Status200OK, new JsonObject { ["data"] = new JsonArray(), ["has_more"] = false, ["next_cursor"] = null }));
        routes.MapPost("/generations", (HttpRequest request) => operations.CreateAsync(request, null, StatusCodes.Status201Created));
    }

    public byte[] Sample()
    {
        var body = JsonNode.Parse(_sample)!;
        foreach (var output in body["output"]!.AsArray())
        {
            output!["url"] = links.Sign((string)output["url"]!);
        }

        return JsonResponse.BytesOf(body);
    }

    public JsonNode Render(SandboxGeneration generation, GenerationState state) => new JsonObject
    {
        ["id"] = generation.Id,
        ["type"] = generation.Request["type"]?.DeepClone() ?? generation.Kind,
        ["state"] = state switch
        {
            GenerationState.Queued => "queued",
            GenerationState.Processing => "processing",
            GenerationState.Completed => "completed",
            _ => "failed",
        },
        ["model"] = generation.Request["model"]?.DeepClone() ?? (generation.Kind is "image" ? "uni-1" : "ray-3.2"),
        ["created_at"] = generation.CreatedAt.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        ["output"] = state is GenerationState.Completed && generation.HasLinks ? new JsonArray(Output(generation)) : new JsonArray(),
        ["failure_reason"] = state is GenerationState.Failed ? "Generation output was flagged by our content moderation system." : null,
        ["failure_code"] = state is GenerationState.Failed ? "content_moderated" : null,
    };

    public JsonNode Error(int status, string message) => new JsonObject { ["detail"] = message };

    private static ValueTask<object?> EchoRequestIdAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        if (context.HttpContext.Request.Headers.TryGetValue("X-Request-Id", out var id))
        {
            context.HttpContext.Response.Headers["X-Request-Id"] = id;
        }

        return next(context);
    }

    private JsonObject Output(SandboxGeneration generation) => new()
    {
        ["type"] = generation.Kind,
        ["url"] = links.Sign(generation.Kind is "image" ? links.Image(generation) : links.Video(generation)),
    };
}
