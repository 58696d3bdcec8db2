namespace LumaGateway.Sandbox.Faults;

/// <summary>Lets half of the promised length through, then breaks the connection.</summary>
internal sealed class TruncatedBody(HttpContext context) : SpoiltBody(context)
{
    private long _written;

    public static async Task AnswerAsync(HttpContext context, RequestDelegate next)
    {
        await using var body = new TruncatedBody(context);
        await body.AnswerThroughAsync(next);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var left = ((Context.Response.ContentLength ?? 0) / 2) - _written;
        var part = buffer[..(int)Math.Clamp(left, 0, buffer.Length)];
        await Connection.WriteAsync(part, cancellationToken);
        await Connection.FlushAsync(cancellationToken);
        _written += part.Length;
        if (part.Length < buffer.Length)
        {
            Context.Abort();
            throw new OperationCanceledException("Cut short on purpose.", Context.RequestAborted);
        }
    }
}
