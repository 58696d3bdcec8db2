using System.Buffers;
using System.Text.Json;
using LumaGateway.Callbacks;
using LumaGateway.Contracts;
using LumaGateway.Upstreams.Wire;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace LumaGateway.Proxy;

/// <summary>
/// Adds the gateway's <c>callback_url</c> (<see cref="CallbackAddresses"/>) to a create that has none. Does nothing unless <c>Callbacks:PublicUrl</c> is set.
/// </summary>
internal sealed class CallbackUrlMiddleware(RequestDelegate next, CallbackAddresses addresses)
{
    private const string CallbackUrl = "callback_url";

    /// <summary>The largest body that is parsed, in bytes. Luma documents no create that large; a larger body is forwarded unchanged, without a callback.</summary>
    private const int MaxParsedBytes = 256 * 1024;

    public Task InvokeAsync(HttpContext context) =>
        CreateRequest.Is(context)
            && context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody is not false
            && addresses.Create() is { } address
            ? ForwardAsync(context, address)
            : next(context);

    private async Task ForwardAsync(HttpContext context, string url)
    {
        await AddCallbackUrlAsync(context.Request, url);
        await next(context);
    }

    private static async Task AddCallbackUrlAsync(HttpRequest request, string url)
    {
        if (request.ContentLength > MaxParsedBytes)
        {
            return;
        }

        RequestBodyLimit.Apply(request.HttpContext);
        var read = await request.BodyReader.ReadAtLeastAsync(MaxParsedBytes + 1, request.HttpContext.RequestAborted);
        if (read.Buffer.Length > MaxParsedBytes)
        {
            request.BodyReader.AdvanceTo(read.Buffer.Start);
            request.Body = request.BodyReader.AsStream(); // starts at the first byte
            return;
        }

        var body = read.Buffer.ToArray();
        request.BodyReader.AdvanceTo(read.Buffer.End);
        if (LacksCallbackUrl(body, out var isEmpty))
        {
            // Inserted as text, so that every other byte stays unchanged.
            var start = body.AsSpan().IndexOf((byte)'{') + 1;
            var member = JsonSerializer.SerializeToUtf8Bytes(url, ContractsJson.Web.String);
            body = [.. body[..start], .. "\"callback_url\":"u8, .. member, .. isEmpty ? ""u8 : ","u8, .. body[start..]];
        }

        request.Body = new MemoryStream(body);
        request.Headers.Remove(HeaderNames.TransferEncoding);
        request.ContentLength = body.Length;
    }

    private static bool LacksCallbackUrl(byte[] body, out bool isEmpty)
    {
        isEmpty = true;
        try
        {
            using var document = JsonDocument.Parse(body);
            isEmpty = document.RootElement.ValueKind is not JsonValueKind.Object || !document.RootElement.EnumerateObject().Any();
            return document.RootElement.ValueKind is JsonValueKind.Object && document.RootElement.Property(CallbackUrl).ValueKind is JsonValueKind.Undefined;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
