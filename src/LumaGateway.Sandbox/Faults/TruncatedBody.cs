namespace LumaGateway.Sandbox.Faults;

/// <summary>Sends half of the announced length, then aborts the connection.</summary>
internal sealed class TruncatedBody(HttpContext context, TimeProvider clock) : FaultyBody(context)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private long _written;

    public static async Task WriteResponseAsync(HttpContext context, RequestDelegate next, TimeProvider clock)
    {
        await using var body = new TruncatedBody(context, clock);
        await body.RunPipelineAsync(next);
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
            // An abort discards bytes that Kestrel has not written to the socket yet.
            await Task.Delay(Pause, clock, cancellationToken);
            Context.Abort();
            throw new OperationCanceledException("Truncated by a fault.", Context.RequestAborted);
        }
    }
}
