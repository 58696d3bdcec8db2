namespace LumaGateway.Sandbox.Faults;

/// <summary>Sends the unchanged bytes one at a time, each in its own packet after a pause.</summary>
internal sealed class DrippingBody(HttpContext context, TimeSpan pause, TimeProvider clock) : FaultyBody(context)
{
    public static async Task WriteResponseAsync(HttpContext context, RequestDelegate next, TimeSpan pause, TimeProvider clock)
    {
        await using var body = new DrippingBody(context, pause, clock);
        await body.RunPipelineAsync(next);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        for (var i = 0; i < buffer.Length; i++)
        {
            await Connection.WriteAsync(buffer.Slice(i, 1), cancellationToken);
            await Connection.FlushAsync(cancellationToken);
            await Task.Delay(pause, clock, Context.RequestAborted);
        }
    }
}
