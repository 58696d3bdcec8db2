using System.Buffers;

namespace LumaGateway.Telemetry;

/// <summary>Gives every request an id: the caller's <c>X-Request-Id</c> if it is valid (1 to 128 visible ASCII characters), else a new one.</summary>
internal static class RequestId
{
    public const string Header = "X-Request-Id";

    private const int MaxLength = 128;

    private static readonly SearchValues<char> Visible =
        SearchValues.Create([.. Enumerable.Range('!', '~' - '!' + 1).Select(c => (char)c)]);

    private static readonly Func<ILogger, string, IDisposable?> Scope = LoggerMessage.DefineScope<string>("RequestId:{RequestId}");

    /// <summary>Sets the id of the request and the response header.</summary>
    public static IApplicationBuilder UseRequestId(this IApplicationBuilder app) => app.Use(static next => context =>
    {
        Assign(context);
        return next(context);
    });

    /// <summary>Adds the id to the log messages of the request.</summary>
    public static IApplicationBuilder UseRequestLogScope(this IApplicationBuilder app)
    {
        var logger = app.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(RequestId).FullName!);
        return app.Use(next => context => RunAsync(context, next, logger));
    }

    private static void Assign(HttpContext context)
    {
        if (context.Request.Headers[Header] is [{ Length: > 0 and <= MaxLength } sent] && !sent.AsSpan().ContainsAnyExcept(Visible))
        {
            context.TraceIdentifier = sent;
        }

        context.Response.Headers[Header] = context.TraceIdentifier;
    }

    private static async Task RunAsync(HttpContext context, RequestDelegate next, ILogger logger)
    {
        using var scope = Scope(logger, context.TraceIdentifier);
        await next(context);
    }
}
