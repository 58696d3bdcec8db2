using System.Buffers;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Features.Callbacks;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Features.Passthrough;

/// <summary>
/// Gives creates that pass to the upstream a <c>callback_url</c> of ours, where the caller gave none, and takes it out of every JSON answer that passes
/// back: the one declared change to what passes unread. Does nothing unless <c>Callbacks:PublicUrl</c> is set. Innermost of the passthrough.
/// </summary>
internal sealed class CallbackUrls(RequestDelegate next, IOptions<CallbackOptions> options, CallbackSecrets secrets)
{
    private const string Member = "callback_url";

    /// <summary>The largest body that is looked at, in bytes. A larger one is no create as Luma documents it: it passes as it comes, and its caller polls.</summary>
    private const int MaxBytes = 256 * 1024;

    private readonly string _prefix = options.Value.PublicUrl.TrimEnd('/') + CallbackPaths.Root + "/";
    private readonly bool _isOn = options.Value.PublicUrl.Length > 0;

    public async Task InvokeAsync(HttpContext context)
    {
        if (!_isOn)
        {
            await next(context);
            return;
        }

        if (HttpMethods.IsPost(context.Request.Method) && secrets.First is { } secret
            && context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody is not false)
        {
            await FillInAsync(context.Request, _prefix + secret);
        }

        context.Request.Headers.Remove(HeaderNames.AcceptEncoding); // what is packed cannot be looked through
        var body = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        await using var omitting = new OmittingStream(body.Stream, _prefix, () => TryBegin(context.Response));
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(omitting, body));
        try
        {
            await next(context);
            if (context.Features.Get<IForwarderErrorFeature>() is null) // of an answer that broke off nothing is sent that was not: it becomes a problem
            {
                await omitting.FinishAsync(context.RequestAborted);
            }
        }
        finally
        {
            context.Features.Set(body);
        }
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
            return document.RootElement.ValueKind is JsonValueKind.Object && !document.RootElement.TryGetProperty(Member, out _);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Whether the answer, whose headers are there, can hold an address of ours.</summary>
    private static bool TryBegin(HttpResponse answer)
    {
        if (answer.Headers.ContentEncoding.Count > 0 || answer.ContentType?.Contains("json", StringComparison.OrdinalIgnoreCase) is not true)
        {
            return false;
        }

        if (!answer.HasStarted)
        {
            answer.ContentLength = null; // it may become shorter
        }

        return true;
    }
}
