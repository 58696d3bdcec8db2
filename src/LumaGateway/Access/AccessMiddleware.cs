using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace LumaGateway.Access;

/// <summary>
/// Lets a request pass to its endpoint when its client has the right that the endpoint asks for. An endpoint that asks for none is open to
/// everybody. Refusals are statuses without a body, made problems further out.
/// </summary>
internal sealed partial class AccessMiddleware(RequestDelegate next, ClientDirectory clients, ILogger<AccessMiddleware> logger)
{
    private const string ApiKeyHeader = "X-Api-Key";
    private const string Bearer = "Bearer ";

    public Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<RequiredRight>() is not { } required)
        {
            return next(context);
        }

        var client = Identify(context.Request.Headers);
        if (client is null)
        {
            Log.Unknown(logger, context.Request.Method, context.TraceIdentifier);
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Task.CompletedTask;
        }

        var asked = required.For(context.Request.Method);
        if (!client.May(asked))
        {
            Log.Refused(logger, client.Name, asked, context.Request.Method, context.TraceIdentifier);
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return Task.CompletedTask;
        }

        context.Features.Set(client);
        return next(context);
    }

    /// <summary>A key that is sent must be right, even where none is needed.</summary>
    private Client? Identify(IHeaderDictionary headers)
    {
        var authorization = headers[HeaderNames.Authorization];
        var apiKey = headers[ApiKeyHeader];
        if (StringValues.IsNullOrEmpty(authorization) && StringValues.IsNullOrEmpty(apiKey))
        {
            return clients.Anonymous;
        }

        if (apiKey is [{ Length: > 0 } key])
        {
            return clients.Find(key);
        }

        return authorization is [{ } value] && value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
            ? clients.Find(value.AsSpan(Bearer.Length).Trim())
            : null;
    }

    private static partial class Log
    {
        [LoggerMessage(1011, LogLevel.Information, "Refused {Method}: no valid client key (request {RequestId}).")]
        public static partial void Unknown(ILogger logger, string method, string requestId);

        [LoggerMessage(1012, LogLevel.Information, "Refused {Client} {Method}: it lacks the right {Right} (request {RequestId}).")]
        public static partial void Refused(ILogger logger, string client, Rights right, string method, string requestId);
    }
}
