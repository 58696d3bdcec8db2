using System.ComponentModel;
using System.Diagnostics;

namespace LumaGateway.Sandbox.Gateway;

/// <summary>The running gateway process. Disposing always ends it. Its output is buffered until it is ready.</summary>
internal sealed class GatewayProcess : IAsyncDisposable
{
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan GoneWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Process _process;
    private readonly Uri _address;
    private readonly TimeProvider _clock;
    private readonly GatewayOutput _output = new();

    private GatewayProcess(Process process, Uri address, TimeProvider clock)
    {
        (_process, _address, _clock) = (process, address, clock);
        process.OutputDataReceived += (_, line) => _output.Add(line.Data);
        process.ErrorDataReceived += (_, line) => _output.Add(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public static GatewayProcess Start(ProcessStartInfo start, Uri address, TimeProvider clock)
    {
        try
        {
            return new(Process.Start(start)!, address, clock);
        }
        catch (Win32Exception fault)
        {
            throw new StartFault($"The gateway could not be started with '{start.FileName}': {fault.Message}.", fault);
        }
    }

    /// <summary>Returns when <c>/health/ready</c> answers 200. Throws <see cref="StartFault"/> if the process ends first or takes too long.</summary>
    public async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = _address, Timeout = TimeSpan.FromSeconds(2) };
        var started = _clock.GetTimestamp();
        while (!await IsReadyAsync(client, cancellationToken))
        {
            if (_process.HasExited)
            {
                throw await EndedAsync("before it was ready");
            }

            if (_clock.GetElapsedTime(started) > ReadyWithin)
            {
                throw new StartFault($"The gateway was not ready in {ReadyWithin.TotalSeconds:0} s. Its last output:\n{_output.Tail()}");
            }

            await Task.Delay(Pause, _clock, cancellationToken);
        }

        _output.PassOn();
    }

    /// <summary>Returns when the gateway stops normally. Throws <see cref="StartFault"/> with its output if it crashes.</summary>
    public async Task WaitForExitAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        if (_process.ExitCode is not 0)
        {
            throw await EndedAsync("while it was in use");
        }
    }

    /// <summary>Closes the gateway's standard input, which stops it, and kills the process if it does not stop.</summary>
    public async Task StopAsync()
    {
        _process.StandardInput.Close();
        using var patience = new CancellationTokenSource(GoneWithin, _clock);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
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
        catch (Exception fault) when (fault is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task<StartFault> EndedAsync(string when)
    {
        await _process.WaitForExitAsync(); // also waits for the last lines of output
        return new($"The gateway ended {when}, with exit code {_process.ExitCode}. Its last output:\n{_output.Tail()}");
    }
}
