using System.Buffers;

namespace LumaGateway.Telemetry;

/// <summary>Gives every request an id: the caller's <c>X-Request-Id</c> if it is valid (1 to 128 visible ASCII characters), else a new one.</summary>
internal static class RequestId
{
    public const string Header = "X-Request-Id";

    private const int MaxLength = 128;

    private static readonly SearchValues<char> Visible =
        SearchValues.Create([.. Enumerable.Range('!', '~' - '!' + 1).Select(c => (char)c)]);

    /// <summary>Sets the id of the request and the response header.</summary>
    public static IApplicationBuilder UseRequestId(this IApplicationBuilder app) => app.Use(static next => context =>
    {
        Assign(context);
        return next(context);
    });

    private static void Assign(HttpContext context)
    {
        if (context.Request.Headers[Header] is [{ Length: > 0 and <= MaxLength } sent] && !sent.AsSpan().ContainsAnyExcept(Visible))
        {
            context.TraceIdentifier = sent;
        }

        context.Response.Headers[Header] = context.TraceIdentifier;
    }
}
