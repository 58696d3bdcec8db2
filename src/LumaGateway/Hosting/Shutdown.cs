using System.Runtime.InteropServices;
using LumaGateway.Telemetry;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>
/// How the process begins and ends. The first SIGTERM makes it unready while everything else goes on for <see cref="ServerOptions.ShutdownDelay"/>:
/// load balancers see it and send new requests elsewhere. Then the ports close, requests on connections made before are served for another second, and what
/// is under way is finished within <see cref="ServerOptions.ShutdownTimeout"/>. Ctrl+C skips delay and second. A second signal of either kind ends the process
/// at once.
/// </summary>
internal sealed partial class Shutdown(
    IHostApplicationLifetime lifetime, DrainingTransport transport, IOptions<ServerOptions> server, IOptions<HostOptions> host, TimeProvider clock, ILogger<Shutdown> logger)
    : IHostLifetime, IDisposable
{
    private readonly List<PosixSignalRegistration> _signals = [];
    private int _asked;

    /// <summary>Whether the process was told to end: from then on it is not ready.</summary>
    public bool IsBegun => Volatile.Read(ref _asked) > 0;

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        // Not as options of the host: those are read before the settings are checked.
        host.Value.ShutdownTimeout = server.Value.ShutdownTimeout;
        lifetime.ApplicationStarted.Register(() => Log.Started(logger, Instrumentation.Version, Environment.Version));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Begin(signal, server.Value.ShutdownDelay)));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Begin(signal, TimeSpan.Zero)));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGQUIT, signal => Begin(signal, TimeSpan.Zero)));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _signals.ForEach(signal => signal.Dispose());

    private void Begin(PosixSignalContext signal, TimeSpan delay)
    {
        // Whoever asks twice does not want to wait: the signal then does what it does to any process.
        signal.Cancel = Interlocked.Increment(ref _asked) == 1;
        if (signal.Cancel)
        {
            _ = StopAsync(delay);
        }
    }

    private async Task StopAsync(TimeSpan delay)
    {
        Log.Begun(logger, delay.TotalSeconds);
        if (delay > TimeSpan.Zero)
        {
            await Task.Delay(delay, clock);
            await transport.DrainAsync();
        }

        lifetime.StopApplication();
    }

    private static partial class Log
    {
        [LoggerMessage(4001, LogLevel.Information, "LumaGateway {Version} is started, on .NET {Runtime}.")]
        public static partial void Started(ILogger logger, string version, Version runtime);

        [LoggerMessage(4002, LogLevel.Information, "Told to stop: not ready from now on; takes no more requests in {Seconds} s.")]
        public static partial void Begun(ILogger logger, double seconds);
    }
}
