using System.Runtime.InteropServices;
using LumaGateway.Telemetry;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>
/// Shuts the process down in steps. After the first SIGTERM the gateway is not ready, but still serves for <see cref="ServerOptions.ShutdownDelay"/>: load
/// balancers see it and use other replicas. Then the ports close, open connections are served for another second, and active requests complete within
/// <see cref="ServerOptions.ShutdownTimeout"/>. Ctrl+C skips the delay and the second. A second signal ends the process at once.
/// </summary>
internal sealed partial class Shutdown(
    IHostApplicationLifetime lifetime, DrainingTransport transport, IOptions<ServerOptions> server, IOptions<HostOptions> host, TimeProvider clock, ILogger<Shutdown> logger)
    : IHostLifetime, IDisposable
{
    private readonly List<PosixSignalRegistration> _signals = [];
    private int _signalCount;

    /// <summary>True after the first signal.</summary>
    public bool HasStarted => Volatile.Read(ref _signalCount) > 0;

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        // Set here, because the host reads its options before the settings are validated.
        host.Value.ShutdownTimeout = server.Value.ShutdownTimeout;
        lifetime.ApplicationStarted.Register(() => Log.Started(logger, Instrumentation.Version, Environment.Version));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => OnSignal(signal, server.Value.ShutdownDelay)));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => OnSignal(signal, TimeSpan.Zero)));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGQUIT, signal => OnSignal(signal, TimeSpan.Zero)));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _signals.ForEach(signal => signal.Dispose());

    private void OnSignal(PosixSignalContext signal, TimeSpan delay)
    {
        // A second signal is not cancelled, so it has its default effect: the process ends.
        signal.Cancel = Interlocked.Increment(ref _signalCount) == 1;
        if (signal.Cancel)
        {
            _ = StopAsync(delay);
        }
    }

    private async Task StopAsync(TimeSpan delay)
    {
        Log.ShutdownStarted(logger, delay.TotalSeconds);
        if (delay > TimeSpan.Zero)
        {
            await Task.Delay(delay, clock);
            await transport.DrainAsync();
        }

        lifetime.StopApplication();
    }

    private static partial class Log
    {
        [LoggerMessage(4001, LogLevel.Information, "LumaGateway {Version} started on .NET {Runtime}.")]
        public static partial void Started(ILogger logger, string version, Version runtime);

        [LoggerMessage(4002, LogLevel.Information, "Shutdown started: /health/ready responds with 503, and the listeners close in {Seconds} s.")]
        public static partial void ShutdownStarted(ILogger logger, double seconds);
    }
}
