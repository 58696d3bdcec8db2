using System.Globalization;
using System.Text.Json.Nodes;
using LumaGateway.Sandbox.Assets;
using LumaGateway.Sandbox.Generations;
using static LumaGateway.Sandbox.Dialects.BodyRules;

namespace LumaGateway.Sandbox.Dialects;

/// <summary>Luma's Dream Machine API: <c>dreaming</c> for processing, plain URLs under <c>assets</c>, errors under <c>detail</c>.</summary>
internal sealed class DreamMachineDialect(AssetLinks links) : ISandboxDialect
{
    private const int Created = StatusCodes.Status201Created;
    private const int MaxPage = 100;

    private static readonly MemberCheck Ratios = OneOf("1:1", "16:9", "9:16", "4:3", "3:4", "21:9", "9:21");
    private static readonly MemberCheck Prompt = Length(3, 5000);
    private static readonly BodyRules Frame = new(["type"],
        ("type", OneOf("image", "generation")), ("url", Url), ("id", Text));
    private static readonly BodyRules Frames = new([],
        ("frame0", BodyRules.Object(Frame)), ("frame1", BodyRules.Object(Frame)));
    private static readonly BodyRules Concept = new(["key"],
        ("key", Text));
    private static readonly BodyRules Reference = new(["url"],
        ("url", Url), ("weight", Number));

    private static readonly BodyRules Video = new(["model"],
        ("model", OneOf("ray-2", "ray-flash-2")), ("prompt", Prompt), ("aspect_ratio", Ratios), ("loop", Flag),
        ("keyframes", BodyRules.Object(Frames)), ("generation_type", OneOf("video")), ("resolution", OneOf("540p", "720p", "1080p", "4k")),
        ("duration", OneOf("5s", "9s")), ("concepts", List(BodyRules.Object(Concept))), ("callback_url", Url));

    private static readonly BodyRules Image = new(["model"],
        ("model", OneOf("photon-1", "photon-flash-1")), ("prompt", Prompt), ("aspect_ratio", Ratios), ("format", OneOf("jpg", "png")),
        ("generation_type", OneOf("image")), ("image_ref", List(BodyRules.Object(Reference))), ("style_ref", List(BodyRules.Object(Reference))),
        ("character_ref", Any), ("modify_image_ref", BodyRules.Object(Reference)), ("sync", Flag), ("sync_timeout", Number), ("callback_url", Url),
        ("image", Any)); // the Vercel AI SDK sends image, which the upstream does not document

    private readonly byte[] _sample = DocumentedSample.Of("dream-machine");

    public string Name => "dream-machine";

    public string Root => "/dream-machine/v1";

    public string SampleId => "123e4567-e89b-12d3-a456-426614174000";

    public string TokenHeader => "Authorization";

    public void Map(RouteGroupBuilder routes, DialectOperations operations)
    {
        routes.MapGet("/generations/{id}", (string id) => operations.Read(id));
        routes.MapGet("/generations", (int? limit, int? offset) =>
            operations.List(Math.Max(offset ?? 0, 0), Math.Clamp(limit ?? MaxPage, 1, MaxPage)));
        routes.MapPost("/generations", (HttpRequest request) => operations.CreateAsync(request, null, Created));
        routes.MapPost("/generations/video", (HttpRequest request) => operations.CreateAsync(request, "video", Created, Video));
        routes.MapPost("/generations/image", (HttpRequest request) => operations.CreateAsync(request, "image", Created, Image));
        routes.MapPost("/generations/video/modify", (HttpRequest request) => operations.CreateAsync(request, "video", Created));
        routes.MapPost("/generations/video/reframe", (HttpRequest request) => operations.CreateAsync(request, "video", Created));
        routes.MapPost("/generations/image/reframe", (HttpRequest request) => operations.CreateAsync(request, "image", Created));
        routes.MapPost("/generations/{id}/upscale", (string id, HttpRequest request) => operations.DeriveAsync(id, request, Created));
        routes.MapPost("/generations/{id}/audio", (string id, HttpRequest request) => operations.DeriveAsync(id, request, Created));
        routes.MapDelete("/generations/{id}", (string id) => operations.Delete(id));
        routes.MapGet("/generations/concepts/list", () => Ok(new JsonArray("dolly_zoom", "handheld", "pov", "orbit_left", "orbit_right")));
        routes.MapGet("/generations/camera_motion/list", () => Ok(new JsonArray("Static", "Move Left", "Push In", "Pull Out")));
        routes.MapGet("/credits", () => Ok(new JsonObject { ["credit_balance"] = 100_000 }));
        routes.MapGet("/ping", () => Ok(new JsonObject { ["message"] = "pong" }));
    }

    public byte[] Sample() => _sample;

    public JsonNode Render(SandboxGeneration generation, GenerationState state) => new JsonObject
    {
        ["id"] = generation.Id,
        ["generation_type"] = generation.Kind,
        ["state"] = state switch
        {
            GenerationState.Queued => "queued",
            GenerationState.Processing => "dreaming",
            GenerationState.Completed => "completed",
            _ => "failed",
        },
        ["failure_reason"] = state is GenerationState.Failed ? "Frame moderation failed" : null,
        ["created_at"] = generation.CreatedAt.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
        ["assets"] = state is GenerationState.Completed ? Assets(generation) : null,
        ["model"] = generation.Request["model"]?.DeepClone() ?? (generation.Kind is "image" ? "photon-1" : "ray-2"),
        ["request"] = Request(generation),
    };

    /// <summary>A string; for status 422 the list of FastAPI.</summary>
    public JsonResponse Error(int status, string message) =>
        status is StatusCodes.Status422UnprocessableEntity ? Refuse(new BodyFault([], message)) : new JsonResponse(status, new JsonObject { ["detail"] = message });

    public JsonResponse Refuse(BodyFault fault) => new(StatusCodes.Status422UnprocessableEntity, new JsonObject
    {
        ["detail"] = new JsonArray(new JsonObject
        {
            ["type"] = "model_attributes_type",
            ["loc"] = new JsonArray(["body", .. fault.Location.Select(part => (JsonNode)part)]),
            ["msg"] = fault.Message,
        }),
    });

    private static JsonResponse Ok(JsonNode body) => new(StatusCodes.Status200OK, body);

    private static JsonObject Request(SandboxGeneration generation)
    {
        var request = (JsonObject)generation.Request.DeepClone();
        request.TryAdd("generation_type", generation.Kind);
        request.TryAdd("prompt", generation.Prompt);
        request.TryAdd("aspect_ratio", generation.AspectRatio);
        return request;
    }

    private JsonObject? Assets(SandboxGeneration generation) => !generation.HasLinks ? null : new()
    {
        ["video"] = generation.Kind is "video" ? links.Video(generation) : null,
        ["image"] = generation.Kind is "image" ? links.Image(generation) : null,
        ["progress_video"] = null,
    };
}
