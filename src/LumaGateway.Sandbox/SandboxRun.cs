using LumaGateway.Sandbox.Dialects;
using LumaGateway.Sandbox.Gateway;

namespace LumaGateway.Sandbox;

/// <summary>
/// Runs the sandbox, alone or with gateways in front of it, which end with the sandbox. Throws
/// <see cref="StartException"/> if any of them cannot start.
/// </summary>
internal static class SandboxRun
{
    public static async Task<int> RunSandboxAsync(this WebApplication app)
    {
        await using (app)
        {
            var options = app.Services.GetRequiredService<SandboxOptions>();
            await ListenAsync(app, options);
            return options.Alone ? await RunAloneAsync(app) : await RunWithGatewaysAsync(app, options);
        }
    }

    private static async Task ListenAsync(WebApplication app, SandboxOptions options)
    {
        var urls = app.Configuration["urls"] ?? $"http://localhost:{options.Port}";
        foreach (var url in urls.Split(';'))
        {
            app.Urls.Add(url);
        }

        try
        {
            await app.StartAsync();
        }
        catch (Exception exception) when (exception is IOException or FormatException or InvalidOperationException)
        {
            var reason = (exception.InnerException ?? exception).Message.TrimEnd('.');
            throw new StartException($"The sandbox cannot listen on {urls}: {reason}. Choose another address with --port or --urls.", exception);
        }
    }

    private static async Task<int> RunAloneAsync(WebApplication app)
    {
        await Console.Out.WriteLineAsync($"Sandbox listening on {app.Urls.First()}");
        await app.WaitForShutdownAsync();
        return 0;
    }

    private static async Task<int> RunWithGatewaysAsync(WebApplication app, SandboxOptions options)
    {
        var stopping = app.Lifetime.ApplicationStopping;
        var gateways = DemoGateway.Of(options, app.Services.GetRequiredService<DialectSet>());
        var processes = app.Services.GetRequiredService<GatewayLauncher>().Launch(gateways);
        try
        {
            await Task.WhenAll(processes.Select(gateway => gateway.WaitUntilReadyAsync(stopping)));
            await Console.Out.WriteLineAsync(app.Services.GetRequiredService<WelcomeText>().For(gateways));
            await await Task.WhenAny(processes.Select(gateway => gateway.WaitForExitAsync(stopping)));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The gateways stop first, so that they do not lose their upstream.
        }
        finally
        {
            await Task.WhenAll(processes.Select(gateway => gateway.DisposeAsync().AsTask()));
        }

        await app.StopAsync();
        return 0;
    }
}
