using LumaGateway.Sandbox;
using LumaGateway.Sandbox.Assets;
using LumaGateway.Sandbox.Control;
using LumaGateway.Sandbox.Dialects;
using LumaGateway.Sandbox.Files;

if (CommandLine.TryRun(args, Console.Out, Console.Error) is { } exitCode)
{
    return exitCode;
}

try
{
    var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });

    builder.AddSandboxSettings(args);
    builder.Services.AddSingleton(TimeProvider.System);
    builder.Services.AddSandbox();

    var app = builder.Build();

    app.UseEmulation();

    app.MapDialects();
    app.MapAssets();
    app.Services.GetRequiredService<FileEndpoints>().MapStorage(app);
    app.MapControl();

    return await app.RunSandboxAsync();
}
catch (StartException exception)
{
    await Console.Error.WriteLineAsync(exception.Message);
    return 1;
}
