using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using LumaGateway.Sandbox.Generations;

namespace LumaGateway.Sandbox.Dialects;

/// <summary>The operations that all dialects share, with responses in the shape of one dialect.</summary>
internal sealed class DialectOperations(ISandboxDialect dialect, GenerationStore store, CreateLimits limits, CallbackSender callbacks, TimeProvider clock)
{
    public IResult Read(string id) =>
        IsSample(id) ? new JsonResponse(StatusCodes.Status200OK, dialect.Sample())
        : store.Find(id) is { } generation ? new JsonResponse(StatusCodes.Status200OK, Render(generation))
        : NotFound();

    /// <param name="request">The create.</param>
    /// <param name="kind"><c>video</c> or <c>image</c>; null if the body says it.</param>
    /// <param name="status">The status of the response.</param>
    /// <param name="rules">What the upstream accepts; null for any object.</param>
    public async Task<IResult> CreateAsync(HttpRequest request, string? kind, int status, BodyRules? rules = null)
    {
        if (await BodyAsync(request) is not { } body)
        {
            return Error(StatusCodes.Status422UnprocessableEntity, "The body is not a JSON object.");
        }

        if (rules?.FindFault(body) is { } fault)
        {
            return dialect.Refuse(fault);
        }

        if (limits.TryCreate(() => store.Create(kind ?? KindOf(body), body), out var generation) is { } refusal)
        {
            var (message, retryAfter) = refusal.IsConcurrency ? dialect.TooManyJobs : ("Too many requests", null);
            request.HttpContext.Response.Headers.RetryAfter = Math.Max(1, Math.Ceiling((retryAfter ?? refusal.Wait).TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            return Error(StatusCodes.Status429TooManyRequests, message);
        }

        if (CallbackOf(body) is { } callback && Uri.TryCreate(callback, UriKind.Absolute, out var address))
        {
            callbacks.Subscribe(generation!, address, dialect);
        }

        return new JsonResponse(status, dialect.RenderCreated(generation!, generation!.StateAt(clock.GetUtcNow())));
    }

    /// <summary>Creates a generation from an existing one.</summary>
    public async Task<IResult> DeriveAsync(string id, HttpRequest request, int status) =>
        IsKnown(id) ? await CreateAsync(request, "video", status) : NotFound();

    public IResult Delete(string id) => store.Delete(id) ? Results.NoContent() : NotFound();

    public IResult List(int offset, int limit)
    {
        var all = store.List();
        var page = all.Skip(offset).Take(limit).Select(Render).ToArray();
        return new JsonResponse(StatusCodes.Status200OK, new JsonObject
        {
            ["has_more"] = offset + page.Length < all.Count,
            ["count"] = all.Count,
            ["limit"] = limit,
            ["offset"] = offset,
            ["generations"] = new JsonArray(page),
        });
    }

    public IResult NotFound() => Error(StatusCodes.Status404NotFound, "Generation not found");

    public IResult Error(int status, string message) => dialect.Error(status, message);

    private static string? CallbackOf(JsonObject body) =>
        Text(body, "callback_url") ?? Text(body, "notify_hook") ?? (body["config"] is JsonObject config && config["webhook_config"] is JsonObject webhook ? Text(webhook, "endpoint") : null);

    private static string? Text(JsonObject body, string name) =>
        body[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static string KindOf(JsonObject body) =>
        (Text(body, "type") ?? Text(body, "generation_type")) is { } type && (type is "layering" || type.StartsWith("image", StringComparison.Ordinal)) ? "image" : "video";

    // Some callers send no content type; Luma accepts that too.
    private static async Task<JsonObject?> BodyAsync(HttpRequest request)
    {
        try
        {
            return await JsonNode.ParseAsync(request.Body, cancellationToken: request.HttpContext.RequestAborted) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private bool IsKnown(string id) => IsSample(id) || store.Find(id) is not null;

    private bool IsSample(string id) => id.Equals(dialect.SampleId, StringComparison.OrdinalIgnoreCase);

    private JsonNode Render(SandboxGeneration generation) => dialect.Render(generation, generation.StateAt(clock.GetUtcNow()));
}
