using System.Text;
using System.Threading.Channels;
using LumaGateway.Sandbox.Dialects;

namespace LumaGateway.Sandbox.Generations;

/// <summary>
/// Posts a generation to its <c>callback_url</c> on every change of state, in order, unsigned, as Luma does: 3 attempts, 100 ms
/// apart, 5 s each. After the third failure the callback is dropped. Stops with the sandbox.
/// </summary>
internal sealed partial class CallbackSender(TimeProvider clock, ILogger<CallbackSender> logger) : BackgroundService
{
    private const int Attempts = 3;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly Channel<Subscription> _subscriptions = Channel.CreateUnbounded<Subscription>();

    public void Subscribe(SandboxGeneration generation, Uri address, ISandboxDialect dialect) =>
        _subscriptions.Writer.TryWrite(new(generation, address, dialect));

    public override void Dispose()
    {
        _client.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Parallel.ForEachAsync(
            _subscriptions.Reader.ReadAllAsync(stoppingToken),
            new ParallelOptions { MaxDegreeOfParallelism = int.MaxValue, CancellationToken = stoppingToken },
            SendChangesAsync);

    private async ValueTask SendChangesAsync(Subscription subscription, CancellationToken cancellationToken)
    {
        for (var sent = 0; ;)
        {
            var edited = subscription.Generation.Edited; // read before the time line, so that an edit between the two reads is seen
            var timeline = subscription.Generation.Timeline;
            var due = sent < timeline.Length ? timeline[sent].At - clock.GetUtcNow() : Timeout.InfiniteTimeSpan;
            if (sent < timeline.Length && due <= TimeSpan.Zero)
            {
                await SendAsync(subscription, timeline[sent++].State, cancellationToken);
                continue;
            }

            using var wait = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await Task.WhenAny(edited, Task.Delay(due, clock, wait.Token));
            await wait.CancelAsync();
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private async Task SendAsync(Subscription subscription, GenerationState state, CancellationToken cancellationToken)
    {
        var body = JsonResponse.TextOf(subscription.Dialect.Render(subscription.Generation, state));
        for (var attempt = 1; attempt <= Attempts; attempt++)
        {
            try
            {
                using var content = new StringContent(body, Encoding.UTF8, "application/json");
                using var response = await _client.PostAsync(subscription.Address, content, cancellationToken);
                if (response.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (Exception exception)
                when (exception is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                // Luma only retries; after the last attempt the warning below is logged.
            }

            await Task.Delay(Pause, clock, cancellationToken);
        }

        Log.CallbackFailed(logger, subscription.Address, state, subscription.Generation.Id, Attempts);
    }

    private sealed record Subscription(SandboxGeneration Generation, Uri Address, ISandboxDialect Dialect);

    private static partial class Log
    {
        [LoggerMessage(5001, LogLevel.Warning, "Callback to {Address} for state {State} of {Id} failed after {Attempts} attempts; the sandbox drops it.")]
        public static partial void CallbackFailed(ILogger logger, Uri address, GenerationState state, string id, int attempts);
    }
}
