using System.Buffers;

namespace LumaGateway.Telemetry;

/// <summary>Gives every request an id: the caller's <c>X-Request-Id</c> if it is sane (1 to 128 visible ASCII characters), else a new one.</summary>
internal static class RequestId
{
    public const string Header = "X-Request-Id";

    private const int MaxLength = 128;

    private static readonly SearchValues<char> Visible =
        SearchValues.Create([.. Enumerable.Range('!', '~' - '!' + 1).Select(c => (char)c)]);

    private static readonly Func<ILogger, string, IDisposable?> Scope = LoggerMessage.DefineScope<string>("RequestId:{RequestId}");

    public static IApplicationBuilder UseRequestId(this IApplicationBuilder app)
    {
        var logger = app.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(RequestId).FullName!);
        return app.Use(next => context =>
        {
            var sent = context.Request.Headers[Header];
            if (sent is [{ Length: > 0 and <= MaxLength } id] && !id.AsSpan().ContainsAnyExcept(Visible))
            {
                context.TraceIdentifier = id;
                context.Response.Headers[Header] = id;
                return FollowAsync(context, next, logger, id);
            }

            context.Response.Headers[Header] = context.TraceIdentifier;
            return next(context);
        });
    }

    /// <summary>The server's own scope was made before, with an id that nobody knows; log lines shall have the caller's.</summary>
    private static async Task FollowAsync(HttpContext context, RequestDelegate next, ILogger logger, string id)
    {
        using var scope = Scope(logger, id);
        await next(context);
    }
}
