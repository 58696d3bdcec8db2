using System.Text.Json;
using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Upstreams;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace LumaGateway.Proxy;

/// <summary>
/// Sets <c>user_id</c> of a create to the client's name, so that the upstream's usage report names the gateway's clients. Does nothing unless
/// <c>Luma:SendUserId</c> is true and the account's dialect has the member. A body that is not a JSON object is forwarded unchanged.
/// </summary>
internal sealed class UserIdMiddleware(RequestDelegate next, IOptions<LumaOptions> options)
{
    /// <summary>The most bytes in which the first character of the JSON is searched.</summary>
    private const int MaxStartBytes = 1024;

    public Task InvokeAsync(HttpContext context) =>
        options.Value.SendUserId && CreateRequest.Is(context) && ProxyAccount.Of(context)?.Dialect.Writer.HasUserId is true
            && context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody is not false
            && RateLimitLease.Of(context)?.Client.Name is { } client
            ? ForwardAsync(context, client)
            : next(context);

    private async Task ForwardAsync(HttpContext context, string client)
    {
        await AddUserIdAsync(context.Request, client);
        await next(context);
    }

    private static async Task AddUserIdAsync(HttpRequest request, string client)
    {
        RequestBodyLimit.Apply(request.HttpContext);
        var start = new byte[MaxStartBytes];
        var length = 0;
        while (length < start.Length && start.AsSpan(0, length).Trim(JsonMemberAppender.WhiteSpace).IsEmpty
            && await request.Body.ReadAsync(start.AsMemory(length), request.HttpContext.RequestAborted) is > 0 and var read)
        {
            length += read;
        }

        var isObject = start.AsSpan(0, length).TrimStart(JsonMemberAppender.WhiteSpace).StartsWith("{"u8) && !request.Headers.ContainsKey(HeaderNames.ContentEncoding);
        byte[] member = isObject ? [.. "\"user_id\":"u8, .. JsonSerializer.SerializeToUtf8Bytes(client, ContractsJson.Web.String)] : [];
        var body = new JsonMemberAppender(start.AsMemory(0, length), request.Body, member);
        request.ContentLength += body.AddedBytes;
        request.Body = body;
    }
}
