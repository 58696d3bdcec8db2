using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace LumaGateway.Tests.Assets;

/// <summary>
/// A CDN on a loopback port. It serves <see cref="File"/> with ranges and validators, unless a scripted response is queued. It records the requests.
/// </summary>
internal sealed class Cdn : IAsyncDisposable
{
    public static readonly byte[] File = [.. Enumerable.Range(0, 100_000).Select(i => (byte)(i * 31))];

    private readonly ConcurrentQueue<RequestDelegate> _script = new();
    private readonly ConcurrentQueue<CdnRequest> _requests = new();
    private Loopback _server = null!;

    private Cdn()
    {
    }

    public IReadOnlyList<CdnRequest> Requests => [.. _requests];

    public int Port => new Uri(_server.Address).Port;

    public static async Task<Cdn> StartAsync()
    {
        var cdn = new Cdn();
        cdn._server = await Loopback.StartAsync(cdn.RespondAsync);
        return cdn;
    }

    public string Link(string path = "/file.mp4", string host = "cdn.test") => $"http://{host}:{Port}{path}";

    /// <summary>Queues a response in place of the file.</summary>
    public Cdn Then(RequestDelegate response)
    {
        _script.Enqueue(response);
        return this;
    }

    public Cdn ThenStatus(int status, int times = 1)
    {
        for (var i = 0; i < times; i++)
        {
            Then(context =>
            {
                context.Response.StatusCode = status;
                return Task.CompletedTask;
            });
        }

        return this;
    }

    public Cdn ThenRedirect(string to, int status = 302) => Then(context =>
    {
        context.Response.StatusCode = status;
        context.Response.Headers.Location = to;
        return Task.CompletedTask;
    });

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private Task RespondAsync(HttpContext context)
    {
        _requests.Enqueue(new CdnRequest(
            context.Request.Method,
            context.Request.Path + context.Request.QueryString,
            context.Request.Host.Value ?? "",
            context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase)));

        return _script.TryDequeue(out var next)
            ? next(context)
            : Results.Bytes(File, "video/mp4", lastModified: new DateTimeOffset(2026, 4, 8, 0, 0, 0, TimeSpan.Zero), entityTag: new EntityTagHeaderValue("\"file\""), enableRangeProcessing: true)
                .ExecuteAsync(context);
    }
}

internal sealed record CdnRequest(string Method, string Path, string Host, IReadOnlyDictionary<string, string> Headers);
