using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using LumaGateway.Sandbox.Assets;
using LumaGateway.Sandbox.Files;
using LumaGateway.Sandbox.Generations;
using static LumaGateway.Sandbox.Dialects.BodyRules;

namespace LumaGateway.Sandbox.Dialects;

/// <summary>Luma's Agents API: a list of outputs with new presigned URLs in every response, files, usage, errors under <c>detail</c>.</summary>
internal sealed class AgentsDialect(AssetLinks links, FileEndpoints files, GenerationStore generations, CreateLimits limits, SandboxOptions options, TimeProvider clock) : ISandboxDialect
{
    /// <summary>The documented limit on creates a minute. It is reported, and only enforced if <c>Sandbox:MaxCreatesPerMinute</c> is set.</summary>
    private const int DocumentedPerMinute = 30;

    private readonly int _perMinute = options.MaxCreatesPerMinute > 0 ? options.MaxCreatesPerMinute : DocumentedPerMinute;

    private static readonly BodyRules Media = new([],
        ("url", Url), ("data", Text), ("media_type", Text), ("generation_id", Text), ("file_id", Text))
    {
        Combination = FindMediaFault,
    };

    private static readonly BodyRules Video = new([],
        ("duration", OneOf("5s", "10s")), ("resolution", OneOf("360p", "540p", "720p", "1080p")), ("loop", Flag), ("hdr", Flag), ("exr_export", Flag),
        ("start_frame", BodyRules.Object(Media)), ("end_frame", BodyRules.Object(Media)), ("edit", Any), ("source_position", Any))
    {
        Combination = FindVideoFault,
    };

    private static readonly BodyRules Create = new(["prompt"],
        ("prompt", Text), ("type", OneOf("image", "image_edit", "video", "video_edit", "video_reframe", "layering")),
        ("model", OneOf("uni-1", "uni-1-max", "ray-3.2")), ("aspect_ratio", Ratio(3)), ("image_ref", List(BodyRules.Object(Media))),
        ("source", BodyRules.Object(Media)), ("style", OneOf("auto", "manga")), ("output_format", OneOf("png", "jpeg")), ("web_search", Flag),
        ("user_id", Text), ("video", BodyRules.Object(Video)));

    private readonly byte[] _sample = DocumentedSample.Of("agents");

    public string Name => "agents";

    public string Root => "/agents/v1";

    public string SampleId => "d290f1ee-6c54-4b01-90e6-d701748f0851";

    public string TokenHeader => "Authorization";

    public void Map(RouteGroupBuilder routes, DialectOperations operations)
    {
        routes.AddEndpointFilter(EchoRequestIdAsync);
        routes.MapGet("/generations/{id}", (string id) => operations.Read(id));
        files.Map(routes, operations);
        routes.MapGet("/usage", Usage);
        routes.MapPost("/generations", (HttpRequest request) => operations.CreateAsync(request, null, StatusCodes.Status201Created, Create))
            .AddEndpointFilter(ReportRateLimitAsync);
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
        ["output"] = state is GenerationState.Completed && generation.HasLinks ? Outputs(generation) : new JsonArray(),
        ["failure_reason"] = state is GenerationState.Failed ? "Generation output was flagged by our content moderation system." : null,
        ["failure_code"] = state is GenerationState.Failed ? "content_moderated" : null,
    };

    public (string Message, TimeSpan? RetryAfter) TooManyJobs => ("Too many concurrent jobs", TimeSpan.FromMinutes(1));

    public JsonResponse Error(int status, string message) => new(status, new JsonObject { ["detail"] = message });

    public JsonResponse Refuse(BodyFault fault) => Error(StatusCodes.Status422UnprocessableEntity, $"{fault.Path}: {fault.Message}");

    private static BodyFault? FindMediaFault(JsonObject media, string[] at) =>
        ((string[])["url", "data", "generation_id", "file_id"]).Count(name => media[name] is not null) != 1 ? new BodyFault(at, "Input should have exactly one of url, data, generation_id, file_id")
        : media["data"] is not null && media["media_type"] is null ? new BodyFault([.. at, "media_type"], "Field required")
        : null;

    private static BodyFault? FindVideoFault(JsonObject video, string[] at) =>
        IsTrue(video["loop"]) && (IsTrue(video["hdr"]) || (string?)video["duration"] is "10s") ? new BodyFault([.. at, "loop"], "loop is not possible with a duration of 10s or with hdr")
        : IsTrue(video["exr_export"]) && !IsTrue(video["hdr"]) ? new BodyFault([.. at, "exr_export"], "exr_export requires hdr")
        : null;

    private static bool IsTrue(JsonNode? value) => value?.GetValueKind() is JsonValueKind.True;

    private static ValueTask<object?> EchoRequestIdAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        if (context.HttpContext.Request.Headers.TryGetValue("X-Request-Id", out var id))
        {
            context.HttpContext.Response.Headers["X-Request-Id"] = id;
        }

        return next(context);
    }

    private async ValueTask<object?> ReportRateLimitAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var result = await next(context);
        var headers = context.HttpContext.Response.Headers;
        headers["X-RateLimit-Limit"] = _perMinute.ToString(CultureInfo.InvariantCulture);
        headers["X-RateLimit-Remaining"] = Math.Max(0, _perMinute - limits.CreatesOfLastMinute).ToString(CultureInfo.InvariantCulture);
        headers["X-RateLimit-Reset"] = clock.GetUtcNow().AddMinutes(1).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return result;
    }

    /// <summary>The number of creates by <c>user_id</c>. Luma does not document the body.</summary>
    private JsonResponse Usage() => new(StatusCodes.Status200OK, new JsonObject
    {
        ["data"] = new JsonArray(
        [
            .. generations.List()
                .Where(generation => generation.Request.Count > 0)
                .GroupBy(generation => generation.UserId)
                .Select(user => new JsonObject { ["user_id"] = user.Key, ["generations"] = user.Count() }),
        ]),
    });

    private JsonArray Outputs(SandboxGeneration generation)
    {
        if (!(generation.Request["type"] is JsonValue type && type.TryGetValue<string>(out var text) && text is "layering"))
        {
            return [Output(generation)];
        }

        var (front, background) = (Output(generation), Output(generation));
        front["layer"] = new JsonObject { ["index"] = 0, ["label"] = "cat", ["description"] = "A dancing cat", ["alpha_hint"] = "soft" };
        background["layer"] = new JsonObject { ["index"] = 1, ["label"] = "background", ["description"] = "A room", ["alpha_hint"] = "none" };
        return [front, background];
    }

    private JsonObject Output(SandboxGeneration generation) => new()
    {
        ["type"] = generation.Kind,
        ["url"] = links.Sign(generation.Kind is "image" ? links.Image(generation) : links.Video(generation)),
    };
}
