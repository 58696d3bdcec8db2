using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LumaGateway.Callbacks;
using LumaGateway.Upstreams.Wire;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace LumaGateway.Proxy;

/// <summary>
/// Adds the gateway's callback address (<see cref="CallbackAddresses"/>) to a create that has none, in the member of the account's dialect. Does nothing if the dialect has
/// none, or <c>Callbacks:PublicUrl</c> is not set.
/// </summary>
internal sealed class CallbackUrlMiddleware(RequestDelegate next, CallbackAddresses addresses)
{
    /// <summary>The largest body that is parsed, in bytes. Luma documents no create that large; a larger body is forwarded unchanged, without a callback.</summary>
    private const int MaxParsedBytes = 256 * 1024;

    public Task InvokeAsync(HttpContext context) =>
        CreateRequest.Is(context)
            && context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody is not false
            && addresses.Create() is { } address
            && ProxyAccount.Of(context)?.Dialect.Writer.CallbackMember(address) is { } member
            ? ForwardAsync(context, member.Name, member.Value)
            : next(context);

    private async Task ForwardAsync(HttpContext context, string name, JsonNode value)
    {
        await AddMemberAsync(context.Request, name, value);
        await next(context);
    }

    private static async Task AddMemberAsync(HttpRequest request, string name, JsonNode value)
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
        if (Lacks(name, body, out var isEmpty))
        {
            // Inserted as text, so that every other byte stays unchanged.
            var start = body.AsSpan().IndexOf((byte)'{') + 1;
            var member = Encoding.UTF8.GetBytes($"\"{name}\":{value.ToJsonString()}");
            body = [.. body[..start], .. member, .. isEmpty ? ""u8 : ","u8, .. body[start..]];
        }

        request.Body = new MemoryStream(body);
        request.Headers.Remove(HeaderNames.TransferEncoding);
        request.ContentLength = body.Length;
    }

    private static bool Lacks(string name, byte[] body, out bool isEmpty)
    {
        isEmpty = true;
        try
        {
            using var document = JsonDocument.Parse(body);
            isEmpty = document.RootElement.ValueKind is not JsonValueKind.Object || !document.RootElement.EnumerateObject().Any();
            return document.RootElement.ValueKind is JsonValueKind.Object && document.RootElement.Property(name).ValueKind is JsonValueKind.Undefined;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
