using System.Text.Json;
using System.Text.Json.Nodes;
using LumaGateway.Contracts;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace LumaGateway.Features.Callbacks;

/// <summary>
/// Gives creates that pass to the upstream a <c>callback_url</c> of ours, where the caller gave none, and takes it out of every JSON answer that passes
/// back: the one declared change to what passes unread. Does nothing unless <c>Callbacks:PublicUrl</c> is set. Innermost of the passthrough.
/// </summary>
internal sealed class CallbackUrls(RequestDelegate next, IOptions<CallbackOptions> options, CallbackSecrets secrets)
{
    private const string Member = "callback_url";
    private const int MaxBytes = 1024 * 1024;

    private readonly string _prefix = options.Value.PublicUrl.TrimEnd('/') + CallbackPaths.Root + "/";
    private readonly bool _isOn = options.Value.PublicUrl.Length > 0;

    public async Task InvokeAsync(HttpContext context)
    {
        if (!_isOn)
        {
            await next(context);
            return;
        }

        if (HttpMethods.IsPost(context.Request.Method) && secrets.First is { } secret)
        {
            await FillInAsync(context.Request, _prefix + secret);
        }

        context.Request.Headers.Remove(HeaderNames.AcceptEncoding); // what is packed cannot be looked at
        var body = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        using var copy = new MemoryStream();
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(copy, body));
        try
        {
            await next(context);
        }
        finally
        {
            context.Features.Set(body);
        }

        if (copy.Length > 0)
        {
            var answer = TakeOut(copy.ToArray());
            context.Response.ContentLength = context.Response.HasStarted ? context.Response.ContentLength : answer.Length;
            await context.Response.Body.WriteAsync(answer, context.RequestAborted);
        }
    }

    /// <summary>A body that is no small JSON object passes as it is.</summary>
    private static async Task FillInAsync(HttpRequest request, string url)
    {
        if (request.ContentLength is not (> 0 and <= MaxBytes))
        {
            return;
        }

        using var sent = new MemoryStream();
        await request.Body.CopyToAsync(sent, request.HttpContext.RequestAborted);
        var body = sent.ToArray();
        var at = body.AsSpan().IndexOf((byte)'{');
        if (IsObjectWithout(body, out var isEmpty) && at >= 0)
        {
            // Put in as text: every other byte is the caller's.
            var member = JsonSerializer.SerializeToUtf8Bytes(url, ContractsJson.Web.String);
            body = [.. body[..(at + 1)], .. "\"callback_url\":"u8, .. member, .. isEmpty ? ""u8 : ","u8, .. body[(at + 1)..]];
        }

        request.Body = new MemoryStream(body);
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

    private byte[] TakeOut(byte[] answer)
    {
        // Nearly always there is nothing of ours in it, and it passes byte for byte.
        if (!System.Text.Encoding.UTF8.GetString(answer).Contains(CallbackPaths.Root, StringComparison.OrdinalIgnoreCase))
        {
            return answer;
        }

        try
        {
            var json = JsonNode.Parse(answer);
            TakeOut(json);
            return JsonSerializer.SerializeToUtf8Bytes(json, ContractsJson.Web.JsonNode);
        }
        catch (JsonException)
        {
            return answer;
        }
    }

    private void TakeOut(JsonNode? node)
    {
        if (node is JsonArray list)
        {
            foreach (var item in list)
            {
                TakeOut(item);
            }
        }
        else if (node is JsonObject members)
        {
            if (members[Member] is JsonValue value && value.TryGetValue<string>(out var url) && url.StartsWith(_prefix, StringComparison.Ordinal))
            {
                members.Remove(Member);
            }

            foreach (var (_, member) in members)
            {
                TakeOut(member);
            }
        }
    }
}
