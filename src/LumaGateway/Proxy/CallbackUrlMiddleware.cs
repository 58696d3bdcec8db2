using System.Buffers;
using System.Text.Json;
using LumaGateway.Callbacks;
using LumaGateway.Contracts;
using LumaGateway.Upstreams.Wire;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace LumaGateway.Proxy;

/// <summary>
/// Gives creates that pass to the upstream a <c>callback_url</c> of ours, where the caller gave none. Each create's address holds a token of its own
/// (<see cref="CallbackToken"/>) and never the secret, so answers that echo it pass unread. Does nothing unless <c>Callbacks:PublicUrl</c> is set.
/// </summary>
internal sealed class CallbackUrlMiddleware(RequestDelegate next, IOptions<CallbackOptions> options, CallbackSecrets secrets)
{
    private const string Member = "callback_url";

    /// <summary>The largest body that is looked at, in bytes. A larger one is no create as Luma documents it: it passes as it comes, and its caller polls.</summary>
    private const int MaxBytes = 256 * 1024;

    private readonly string _prefix = options.Value.PublicUrl.TrimEnd('/') + CallbackPaths.Root + "/";
    private readonly bool _isOn = options.Value.PublicUrl.Length > 0;

    public async Task InvokeAsync(HttpContext context)
    {
        if (_isOn && HttpMethods.IsPost(context.Request.Method)
            && context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody is not false
            && secrets.NewToken() is { } token)
        {
            await FillInAsync(context.Request, _prefix + token);
        }

        await next(context);
    }

    private static async Task FillInAsync(HttpRequest request, string url)
    {
        if (request.ContentLength > MaxBytes)
        {
            return;
        }

        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = request.HttpContext.GetReverseProxyFeature().Route.Config.MaxRequestBodySize; // YARP sets it later, when reading has begun
        }

        var sent = await request.BodyReader.ReadAtLeastAsync(MaxBytes + 1, request.HttpContext.RequestAborted);
        if (sent.Buffer.Length > MaxBytes)
        {
            request.BodyReader.AdvanceTo(sent.Buffer.Start);
            request.Body = request.BodyReader.AsStream(); // from its beginning
            return;
        }

        var body = sent.Buffer.ToArray();
        request.BodyReader.AdvanceTo(sent.Buffer.End);
        if (IsObjectWithout(body, out var isEmpty))
        {
            // Put in as text: every other byte is the caller's.
            var after = body.AsSpan().IndexOf((byte)'{') + 1;
            var member = JsonSerializer.SerializeToUtf8Bytes(url, ContractsJson.Web.String);
            body = [.. body[..after], .. "\"callback_url\":"u8, .. member, .. isEmpty ? ""u8 : ","u8, .. body[after..]];
        }

        request.Body = new MemoryStream(body);
        request.Headers.Remove(HeaderNames.TransferEncoding);
        request.ContentLength = body.Length;
    }

    private static bool IsObjectWithout(byte[] body, out bool isEmpty)
    {
        isEmpty = true;
        try
        {
            using var document = JsonDocument.Parse(body);
            isEmpty = document.RootElement.ValueKind is not JsonValueKind.Object || !document.RootElement.EnumerateObject().Any();
            return document.RootElement.ValueKind is JsonValueKind.Object && document.RootElement.Property(Member).ValueKind is JsonValueKind.Undefined;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
