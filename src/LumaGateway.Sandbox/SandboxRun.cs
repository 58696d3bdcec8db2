using LumaGateway.Sandbox.Dialects;
using LumaGateway.Sandbox.Gateway;

namespace LumaGateway.Sandbox;

/// <summary>
/// Runs the sandbox, alone or with a gateway in front of it, which ends with the sandbox. Throws
/// <see cref="StartException"/> if either cannot start.
/// </summary>
internal static class SandboxRun
{
    public static async Task<int> RunSandboxAsync(this WebApplication app)
    {
        await using (app)
        {
            var options = app.Services.GetRequiredService<SandboxOptions>();
            await ListenAsync(app, options);
            return options.Alone ? await RunAloneAsync(app) : await RunWithGatewayAsync(app, options);
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

    private static async Task<int> RunWithGatewayAsync(WebApplication app, SandboxOptions options)
    {
        var stopping = app.Lifetime.ApplicationStopping;
        await using var gateway = app.Services.GetRequiredService<GatewayLauncher>().Launch();
        try
        {
            await gateway.WaitUntilReadyAsync(stopping);
            await Console.Out.WriteLineAsync(Welcome(app, options));
            await gateway.WaitForExitAsync(stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The gateway stops first, so that it does not lose its upstream.
        }

        await gateway.StopAsync();
        await app.StopAsync();
        return 0;
    }

    private static string Welcome(WebApplication app, SandboxOptions options)
    {
        var gateway = GatewayLauncher.AddressOf(options);
        var sample = app.Services.GetRequiredService<DialectSet>().Named(options.Dialect).SampleId;
        return $"""

            Gateway     {gateway}   (in front of the sandbox at {app.Urls.First()})
            Swagger     {gateway}/swagger
            Client key  {GatewayLauncher.ClientKey}

            curl -i -H "Authorization: Bearer {GatewayLauncher.ClientKey}" {gateway}/generations/{sample}

            """;
    }
}
