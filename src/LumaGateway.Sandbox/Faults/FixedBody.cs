using System.Text;

namespace LumaGateway.Sandbox.Faults;

/// <summary>Bodies of status 200 that no dialect sends.</summary>
internal static class FixedBody
{
    private const int HugeChunks = 512;
    private const int Depth = 5_000;

    private static readonly byte[] Chunk = Encoding.ASCII.GetBytes(new string('x', 64 * 1024));

    public static Task WriteResponseAsync(HttpContext context, FaultKind kind) => kind switch
    {
        FaultKind.Empty => TextAsync(context, string.Empty),
        FaultKind.Null => TextAsync(context, "null"),
        FaultKind.Number => TextAsync(context, "42"),
        FaultKind.Deep => TextAsync(context, $"{Opening(context)}{new string('[', Depth)}{new string(']', Depth)}}}"),
        FaultKind.Html => TextAsync(context, "<!DOCTYPE html><html><body>Just a moment...</body></html>", "text/html; charset=utf-8"),
        FaultKind.Huge => HugeAsync(context),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "This kind has no fixed body."),
    };

    private static async Task TextAsync(HttpContext context, string text, string mediaType = "application/json")
    {
        context.Response.ContentType = mediaType;
        context.Response.ContentLength = Encoding.UTF8.GetByteCount(text);
        await context.Response.WriteAsync(text, context.RequestAborted);
    }

    private static async Task HugeAsync(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync($"{Opening(context)}\"", context.RequestAborted);
        for (var i = 0; i < HugeChunks; i++)
        {
            await context.Response.Body.WriteAsync(Chunk, context.RequestAborted);
        }

        await context.Response.WriteAsync("\"}", context.RequestAborted);
    }

    // Valid JSON: only the size or the depth of the body is wrong.
    private static string Opening(HttpContext context) =>
        $"{{\"id\":\"{context.Request.RouteValues["id"]}\",\"state\":\"completed\",\"padding\":";
}
