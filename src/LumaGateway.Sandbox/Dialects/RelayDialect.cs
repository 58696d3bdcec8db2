using System.Globalization;
using System.Text.Json.Nodes;
using LumaGateway.Sandbox.Assets;
using LumaGateway.Sandbox.Generations;
using static LumaGateway.Sandbox.Dialects.BodyRules;

namespace LumaGateway.Sandbox.Dialects;

/// <summary>The relay: each final field twice, once under <c>artifact</c>; <c>pending</c> for queued; errors under <c>error</c>.</summary>
internal sealed class RelayDialect(AssetLinks links) : ISandboxDialect
{
    /// <summary><c>prompt</c> is the name in older variants.</summary>
    private static readonly BodyRules Create = new([],
        ("user_prompt", Text), ("prompt", Text), ("model_name", OneOf("ray-v1", "ray-v2", "ray-v3")), ("duration", OneOf("5s")),
        ("resolution", OneOf("540p", "720p", "1080p")), ("aspect_ratio", Ratio()), ("expand_prompt", Flag), ("loop", Flag), ("image_url", Url),
        ("image_end_url", Url), ("notify_hook", Url));

    private readonly byte[] _sample = DocumentedSample.Of("relay");

    public string Name => "relay";

    public string Root => "/luma";

    public string SampleId => "4665a07c-7641-4809-a133-10786201bb56";

    public string TokenHeader => "Authorization";

    public void Map(RouteGroupBuilder routes, DialectOperations operations)
    {
        routes.MapGet("/generations/{id}", (string id) => operations.Read(id));
        routes.MapPost("/generations", (HttpRequest request) => operations.CreateAsync(request, "video", StatusCodes.Status200OK, Create));
        routes.MapPost("/generations/{id}/extend", (string id, HttpRequest request) =>
            operations.DeriveAsync(id, request, StatusCodes.Status200OK));
    }

    public byte[] Sample() => _sample;

    public JsonNode Render(SandboxGeneration generation, GenerationState state) =>
        state is GenerationState.Completed ? Final(generation) : Interim(generation, state);

    public JsonResponse Error(int status, string message) => new(status, ErrorBody(status, message, null));

    public JsonResponse Refuse(BodyFault fault) => new(StatusCodes.Status400BadRequest, ErrorBody(StatusCodes.Status400BadRequest, fault.Message, fault.Path));

    private static JsonObject ErrorBody(int status, string message, string? name) => new()
    {
        ["error"] = new JsonObject
        {
            ["message"] = message,
            ["type"] = status < 500 ? "invalid_request_error" : "upstream_error",
            ["param"] = name,
            ["code"] = status switch
            {
                StatusCodes.Status401Unauthorized => "invalid_token",
                StatusCodes.Status404NotFound when message is "Not Found" => "", // no such route
                StatusCodes.Status404NotFound => "task_not_found",
                StatusCodes.Status429TooManyRequests => "rate_limit_exceeded",
                _ => $"status_{status}",
            },
        },
    };

    private static JsonObject Interim(SandboxGeneration generation, GenerationState state)
    {
        var body = new JsonObject
        {
            ["id"] = generation.Id,
            ["prompt"] = generation.Prompt,
            ["state"] = state switch
            {
                GenerationState.Queued => "pending",
                GenerationState.Processing => "processing",
                _ => "failed",
            },
            ["created_at"] = CreatedAt(generation),
            ["video"] = null,
            ["liked"] = null,
            ["estimate_wait_seconds"] = null,
        };
        if (state is GenerationState.Failed)
        {
            body["failure_reason"] = "Frame moderation failed"; // the relay documents no reason: this is Luma's own field
        }

        return body;
    }

    private static string CreatedAt(SandboxGeneration generation) =>
        generation.CreatedAt.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static JsonObject Picture(string url) => new()
    {
        ["url"] = url,
        ["width"] = 1360,
        ["height"] = 752,
        ["palette"] = null,
        ["media_type"] = "image",
    };

    private JsonObject Final(SandboxGeneration generation) => new()
    {
        ["id"] = generation.Id,
        ["state"] = "completed",
        ["video"] = Video(generation),
        ["request"] = new JsonObject { ["prompt"] = generation.Prompt, ["aspect_ratio"] = generation.AspectRatio },
        ["artifact"] = new JsonObject
        {
            ["video"] = Video(generation),
            ["thumbnail"] = Thumbnail(generation),
            ["video_raw"] = VideoRaw(generation),
            ["created_at"] = "0001-01-01T00:00:00Z",
            ["last_frame"] = LastFrame(generation),
        },
        ["thumbnail"] = Thumbnail(generation),
        ["video_raw"] = VideoRaw(generation),
        ["created_at"] = CreatedAt(generation),
        ["last_frame"] = LastFrame(generation),
    };

    private JsonObject? Video(SandboxGeneration generation) => !generation.HasLinks ? null : new()
    {
        ["url"] = links.WatermarkedVideo(generation),
        ["width"] = 1360,
        ["height"] = 752,
        ["download_url"] = links.Video(generation),
    };

    private JsonObject? VideoRaw(SandboxGeneration generation) => !generation.HasLinks ? null : new()
    {
        ["url"] = links.Video(generation),
        ["width"] = 1360,
        ["height"] = 752,
        ["duration"] = 5.041667,
        ["media_type"] = "video",
    };

    private JsonObject? Thumbnail(SandboxGeneration generation) => generation.HasLinks ? Picture(links.Thumbnail(generation)) : null;

    private JsonObject? LastFrame(SandboxGeneration generation) => generation.HasLinks ? Picture(links.LastFrame(generation)) : null;
}
