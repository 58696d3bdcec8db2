using System.Globalization;
using System.Text.Json.Nodes;
using LumaGateway.Sandbox.Assets;
using LumaGateway.Sandbox.Generations;
using static LumaGateway.Sandbox.Dialects.BodyRules;

namespace LumaGateway.Sandbox.Dialects;

/// <summary>PiAPI: tasks in a wrapper with a <c>code</c>; the request is in <c>input</c>, and the token in <c>x-api-key</c>.</summary>
internal sealed class PiApiDialect(AssetLinks links) : ISandboxDialect
{
    private static readonly BodyRules Frame = new(["type"],
        ("type", OneOf("image", "generation")), ("url", Url), ("id", Text));
    private static readonly BodyRules Frames = new([],
        ("frame0", BodyRules.Object(Frame)), ("frame1", BodyRules.Object(Frame)));
    private static readonly BodyRules Input = new([],
        ("prompt", Text), ("model_name", Text), ("duration", Number), ("aspect_ratio", Ratio()), ("key_frames", BodyRules.Object(Frames)));

    private static readonly BodyRules Webhook = new(["endpoint"],
        ("endpoint", Url), ("secret", Text));
    private static readonly BodyRules Config = new([],
        ("webhook_config", BodyRules.Object(Webhook)), ("service_mode", Text));
    private static readonly BodyRules Create = new(["model", "task_type", "input"],
        ("model", OneOf("luma")), ("task_type", OneOf("video_generation", "extend_video")), ("input", BodyRules.Object(Input)),
        ("config", BodyRules.Object(Config)));

    private readonly byte[] _sample = DocumentedSample.Of("piapi");

    public string Name => "piapi";

    public string Root => "/api/v1";

    public string SampleId => "f38e2944-a5fe-44b4-9464-920c94276d74";

    public string TokenHeader => "x-api-key";

    public void Map(RouteGroupBuilder routes, DialectOperations operations)
    {
        routes.MapGet("/task/{id}", (string id) => operations.Read(id));
        routes.MapPost("/task", (HttpRequest request) => operations.CreateAsync(request, "video", StatusCodes.Status200OK, Create));
    }

    public byte[] Sample() => _sample;

    public JsonNode Render(SandboxGeneration generation, GenerationState state) => Wrap(StatusCodes.Status200OK, "success", new JsonObject
    {
        ["task_id"] = generation.Id,
        ["model"] = "luma",
        ["task_type"] = "video_generation",
        ["status"] = state switch
        {
            GenerationState.Queued => "pending",
            GenerationState.Processing => "processing",
            GenerationState.Completed => "completed",
            _ => "failed",
        },
        ["input"] = generation.Request["input"]?.DeepClone() ?? new JsonObject { ["prompt"] = generation.Prompt, ["aspect_ratio"] = generation.AspectRatio },
        ["output"] = state is GenerationState.Completed ? Output(generation) : null,
        ["error"] = state is GenerationState.Failed
            ? new JsonObject { ["code"] = 10000, ["message"] = "Frame moderation failed" }
            : new JsonObject { ["code"] = 0, ["raw_message"] = "", ["message"] = "", ["detail"] = null },
    });

    public JsonResponse Error(int status, string message) => new(status, Wrap(status, message, null));

    public JsonResponse Refuse(BodyFault fault) => new(StatusCodes.Status400BadRequest, Wrap(
        StatusCodes.Status400BadRequest, "failed", new JsonObject { ["error"] = new JsonObject { ["code"] = 10000, ["message"] = $"{fault.Path}: {fault.Message}" } }));

    private static JsonObject Wrap(int code, string message, JsonNode? data) => new() { ["code"] = code, ["data"] = data, ["message"] = message };

    private static JsonObject File(string url) => new() { ["url"] = url, ["width"] = 1152, ["height"] = 864 };

    private JsonObject Output(SandboxGeneration generation) => new()
    {
        ["created_at"] = generation.CreatedAt.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
        ["video"] = generation.HasLinks ? File(links.WatermarkedVideo(generation)) : null,
        ["video_raw"] = generation.HasLinks ? File(links.Video(generation)) : null,
        ["thumbnail"] = generation.HasLinks ? File(links.Thumbnail(generation)) : null,
        ["last_frame"] = null,
    };
}
