using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Caching.Distributed;

namespace LumaGateway.Bench;

/// <summary>
/// A minimal hand-written gateway: a key check, one GET of the cache, and after a miss one GET of the upstream and one SET. It has no
/// single flight, limits, retries, timeouts, purge, ETag or metrics.
/// </summary>
internal static class HandWrittenGateway
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
    private static readonly DistributedCacheEntryOptions Lifetime = new() { AbsoluteExpirationRelativeToNow = TimeSpan.FromDays(1) };
    private static readonly byte[] KeyHash = SHA256.HashData("key-0"u8);

    /// <param name="redis">Host and port; null for a cache in memory.</param>
    public static WebApplication Build(WebApplicationBuilder builder, string upstream, string? redis)
    {
        if (redis is not null)
        {
            builder.Services.AddStackExchangeRedisCache(options => (options.Configuration, options.InstanceName) = (redis, "hand-written:"));
        }
        else
        {
            builder.Services.AddDistributedMemoryCache(options => options.SizeLimit = 128 * 1024 * 1024);
        }

        var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false }) { BaseAddress = new Uri(upstream) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "upstream-token");
        var app = builder.Build();
        app.MapGet("/generations/{id}", async (string id, HttpContext context, IDistributedCache cache) =>
        {
            var key = SHA256.HashData(Encoding.UTF8.GetBytes(context.Request.Headers["X-Api-Key"].ToString()));
            if (!CryptographicOperations.FixedTimeEquals(key, KeyHash))
            {
                context.Response.StatusCode = StatusCodes.Status401Unauthorized;
                return;
            }

            var body = await cache.GetAsync(id, context.RequestAborted);
            if (body is null)
            {
                var task = await http.GetFromJsonAsync<RelayTask>($"luma/generations/{Uri.EscapeDataString(id)}", Json, context.RequestAborted);
                var generation = new SlimGeneration(
                    task!.Id, task.State, task.CreatedAt, task.Model, task.Request?.Prompt, task.Request?.AspectRatio,
                    task.Video is null ? null : new SlimVideo(task.Video.Url, task.Video.Width, task.Video.Height, task.VideoRaw?.Duration),
                    Image: null, task.Thumbnail, task.LastFrame, OutputsOf(task), Failure: null, ExpiresAt: null);
                body = JsonSerializer.SerializeToUtf8Bytes(generation, Json);
                await cache.SetAsync(id, body, Lifetime, context.RequestAborted);
            }

            await Baselines.WriteAsync(context, body);
        });
        return app;
    }

    private static List<SlimOutput> OutputsOf(RelayTask task)
    {
        var outputs = new List<SlimOutput>(3);
        if (task.Video is { } video)
        {
            outputs.Add(new("video", video.Url, video.Width, video.Height, task.VideoRaw?.Duration, "main", Layer: null));
        }

        if (task.Thumbnail is { } thumbnail)
        {
            outputs.Add(new("image", thumbnail.Url, thumbnail.Width, thumbnail.Height, Duration: null, "thumbnail", Layer: null));
        }

        if (task.LastFrame is { } frame)
        {
            outputs.Add(new("image", frame.Url, frame.Width, frame.Height, Duration: null, "last_frame", Layer: null));
        }

        return outputs;
    }

    private sealed record RelayTask(
        string Id, string State, DateTime? CreatedAt, string? Model, RelayRequest? Request, RelayVideo? Video, RelayVideo? VideoRaw, SlimImage? Thumbnail, SlimImage? LastFrame);

    private sealed record RelayRequest(string? Prompt, string? AspectRatio);

    private sealed record RelayVideo(string Url, int? Width, int? Height, double? Duration);

    private sealed record SlimGeneration(
        string Id, string State, DateTime? CreatedAt, string? Model, string? Prompt, string? AspectRatio, SlimVideo? Video, SlimImage? Image, SlimImage? Thumbnail, SlimImage? LastFrame,
        IReadOnlyList<SlimOutput> Outputs, object? Failure, DateTime? ExpiresAt);

    private sealed record SlimOutput(string Type, string Url, int? Width, int? Height, double? Duration, string? Role, object? Layer);

    private sealed record SlimVideo(string Url, int? Width, int? Height, double? Duration);

    private sealed record SlimImage(string Url, int? Width, int? Height);
}
