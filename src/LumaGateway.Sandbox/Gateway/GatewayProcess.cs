using System.ComponentModel;
using System.Diagnostics;

namespace LumaGateway.Sandbox.Gateway;

/// <summary>The running gateway process. Disposing always ends it. Its output is buffered until it is ready.</summary>
internal sealed class GatewayProcess : IAsyncDisposable
{
    private static readonly TimeSpan ReadyTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Process _process;
    private readonly Uri _address;
    private readonly TimeProvider _clock;
    private readonly GatewayOutput _output;

    private GatewayProcess(Process process, DemoGateway gateway, TimeProvider clock)
    {
        (_process, _address, _clock) = (process, gateway.Address, clock);
        _output = new GatewayOutput(gateway.Dialect.Name);
        process.OutputDataReceived += (_, line) => _output.Add(line.Data);
        process.ErrorDataReceived += (_, line) => _output.Add(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public static GatewayProcess Start(ProcessStartInfo start, DemoGateway gateway, TimeProvider clock)
    {
        try
        {
            return new(Process.Start(start)!, gateway, clock);
        }
        catch (Win32Exception exception)
        {
            throw new StartException($"The gateway could not be started with '{start.FileName}': {exception.Message}.", exception);
        }
    }

    /// <summary>Returns when <c>/health/ready</c> answers 200. Throws <see cref="StartException"/> if the process ends first or takes too long.</summary>
    public async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = _address, Timeout = TimeSpan.FromSeconds(2) };
        var started = _clock.GetTimestamp();
        while (!await IsReadyAsync(client, cancellationToken))
        {
            if (_process.HasExited)
            {
                throw await ExitErrorAsync("before it was ready");
            }

            if (_clock.GetElapsedTime(started) > ReadyTimeout)
            {
                throw new StartException($"The gateway was not ready in {ReadyTimeout.TotalSeconds:0} s. Its last output:\n{_output.Tail()}");
            }

            await Task.Delay(Pause, _clock, cancellationToken);
        }

        _output.WriteToConsole();
    }

    /// <summary>Returns when the gateway stops normally. Throws <see cref="StartException"/> with its output if it crashes.</summary>
    public async Task WaitForExitAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        if (_process.ExitCode is not 0)
        {
            throw await ExitErrorAsync("while it was in use");
        }
    }

    /// <summary>Closes the gateway's standard input, which stops it, and kills the process if it does not stop.</summary>
    public async Task StopAsync()
    {
        _process.StandardInput.Close();
        using var timeout = new CancellationTokenSource(StopTimeout, _clock);
        try
        {
            await _process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _process.Dispose();
    }

    private static async Task<bool> IsReadyAsync(HttpClient client, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await client.GetAsync(new Uri("/health/ready", UriKind.Relative), cancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task<StartException> ExitErrorAsync(string when)
    {
        await _process.WaitForExitAsync(); // also waits for the last lines of output
        return new($"The gateway ended {when}, with exit code {_process.ExitCode}. Its last output:\n{_output.Tail()}");
    }
}
