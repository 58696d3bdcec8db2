using System.Text;

namespace LumaGateway.Sandbox.Faults;

/// <summary>The correct response, with the id replaced by another one.</summary>
internal sealed class OtherIdBody(HttpContext context) : FaultyBody(context)
{
    private const string Other = "00000000-0000-4000-8000-000000000000";

    private readonly MemoryStream _original = new();

    public static async Task WriteResponseAsync(HttpContext context, RequestDelegate next)
    {
        await using var body = new OtherIdBody(context);
        await body.RunPipelineAsync(next);
        await body.SendAsync();
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        _original.WriteAsync(buffer, cancellationToken);

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task SendAsync()
    {
        var text = Encoding.UTF8.GetString(_original.ToArray());
        if (Context.Request.RouteValues["id"] is string id)
        {
            text = text.Replace(id, Other, StringComparison.Ordinal);
        }

        var bytes = Encoding.UTF8.GetBytes(text);
        Context.Response.ContentLength = bytes.Length;
        await Connection.WriteAsync(bytes, Context.RequestAborted);
    }
}
