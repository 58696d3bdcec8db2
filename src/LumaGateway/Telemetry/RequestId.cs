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
        return app.Use(next => context => Assign(context) ? FollowAsync(context, next, logger, context.TraceIdentifier) : next(context));
    }

    /// <summary>Gives the request its id, and its answer the header. True where the id is the caller's own.</summary>
    public static bool Assign(HttpContext context)
    {
        var id = context.Request.Headers[Header] is [{ Length: > 0 and <= MaxLength } sent] && !sent.AsSpan().ContainsAnyExcept(Visible) ? sent : null;
        if (id is not null)
        {
            context.TraceIdentifier = id;
        }

        context.Response.Headers[Header] = context.TraceIdentifier;
        return id is not null;
    }

    /// <summary>The server's own scope was made before, with an id that nobody knows; log lines shall have the caller's.</summary>
    private static async Task FollowAsync(HttpContext context, RequestDelegate next, ILogger logger, string id)
    {
        using var scope = Scope(logger, id);
        await next(context);
    }
}
