namespace LumaGateway.Redis;

/// <summary>
/// Closes the connections to Redis once all services have stopped, and waits a second at most. Otherwise RedisCache (Microsoft.Extensions.Caching.StackExchangeRedis) closes the
/// cache's connection when it is disposed of, and blocks for five seconds if Redis does not respond.
/// </summary>
internal sealed class RedisShutdown(RedisConnection cache, LedgerConnection ledger) : IHostedLifecycleService
{
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.WhenAll(cache.DisposeAsync().AsTask(), ledger.DisposeAsync().AsTask());

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
