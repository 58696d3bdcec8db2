using System.Text.Json.Nodes;
using LumaGateway.Sandbox.Assets;
using LumaGateway.Sandbox.Generations;
using static LumaGateway.Sandbox.Dialects.BodyRules;

namespace LumaGateway.Sandbox.Dialects;

/// <summary>A relay in the style of new-api: flat tasks with a <c>task_id</c>; an unknown id is a 400.</summary>
internal sealed class NewApiDialect(AssetLinks links) : ISandboxDialect
{
    private static readonly BodyRules Create = new(["model"],
        ("model", Text), ("prompt", Text), ("image", Url), ("duration", Number), ("width", Number), ("height", Number), ("fps", Number),
        ("seed", Number), ("n", Number), ("metadata", Any));

    private readonly byte[] _sample = DocumentedSample.Of("new-api");

    public string Name => "new-api";

    public string Root => "/v1/video";

    public string SampleId => "task_7f0c2d9b1e";

    public string TokenHeader => "Authorization";

    public void Map(RouteGroupBuilder routes, DialectOperations operations)
    {
        routes.MapGet("/generations/{id}", (string id) => operations.Read(id));
        routes.MapPost("/generations", (HttpRequest request) => operations.CreateAsync(request, "video", StatusCodes.Status200OK, Create));
    }

    public byte[] Sample() => _sample;

    public JsonNode Render(SandboxGeneration generation, GenerationState state) => new JsonObject
    {
        ["task_id"] = generation.Id,
        ["status"] = StatusOf(state),
        ["url"] = state is GenerationState.Completed && generation.HasLinks ? links.Video(generation) : "",
        ["format"] = "mp4",
        ["metadata"] = new JsonObject { ["duration"] = 5.04, ["fps"] = 24, ["width"] = 1280, ["height"] = 720, ["seed"] = generation.Request["seed"]?.DeepClone() ?? 7 },
        ["error"] = state is GenerationState.Failed ? new JsonObject { ["code"] = 10001, ["message"] = "Frame moderation failed" } : new JsonObject { ["code"] = 0, ["message"] = "" },
    };

    public JsonNode RenderCreated(SandboxGeneration generation, GenerationState state) => new JsonObject { ["task_id"] = generation.Id, ["status"] = StatusOf(state) };

    public JsonResponse Error(int status, string message) => status is StatusCodes.Status404NotFound
        ? new JsonResponse(StatusCodes.Status400BadRequest, Body("task_not_exist", message))
        : new JsonResponse(status, Body($"status_{status}", message));

    public JsonResponse Refuse(BodyFault fault) => new(StatusCodes.Status400BadRequest, Body("invalid_request", $"{fault.Path}: {fault.Message}"));

    private static string StatusOf(GenerationState state) => state switch
    {
        GenerationState.Queued => "queued",
        GenerationState.Processing => "in_progress",
        GenerationState.Completed => "completed",
        _ => "failed",
    };

    private static JsonObject Body(string code, string message) => new() { ["code"] = code, ["message"] = message, ["data"] = null };
}
